"""Declares the errors of reading a real host, as one tree.

    AgentError                  exit 1, HTTP 503
      Unavailable               exit 2          no real Xen can be read here
      HypercallFailed                           the hypervisor says no (has errno)
      StoreFailed                               xenstore does not answer, or not as it should
      NotRead                                   no report could be made
      BadRequest                      HTTP 400  a request of HTTP has another form
      TooMany                         HTTP 429  there were too many wrong passwords
      NotPlain                                  a text is not in the part of YAML that is read
      WebConfigError          exit 2            the web config file cannot be used
      NoBcrypt                exit 2            it has passwords, which nothing here can check
      CannotListen            exit 2            an address cannot be listened on, or must not

They stand beside those of `hypervisor.errors`, which need a newer Python.
"""

import errno as _errno


class AgentError(Exception):
    """The base of all errors of the agent."""

    exit_code = 1
    http_status = 503


class Unavailable(AgentError):
    """Says that a real Xen cannot be read here: what is missing, why, and what to do."""

    exit_code = 2

    def __init__(self, what: str, why: str, advice: str) -> None:
        super().__init__("%s: %s; %s" % (what, why, advice))
        self.what = what
        self.why = why
        self.advice = advice


class HypercallFailed(AgentError):
    """Says that the hypervisor, or the kernel on the way to it, has refused a hypercall."""

    def __init__(self, number: int) -> None:
        super().__init__(_errno.errorcode.get(number, str(number)))
        self.errno = number


class StoreFailed(AgentError):
    """Says that xenstore does not answer, or not in its protocol."""
