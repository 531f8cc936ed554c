"""Declares the errors of reading a real host, as one tree.

    AgentError                  exit 1, HTTP 503
      Unavailable               exit 2          no real Xen can be read here
      HypercallFailed                           the hypervisor says no (has errno)
      StoreFailed                               xenstore does not answer, or not as it should
      RingsShared                               another program uses the trace rings
      RingsBroken                               the trace rings are not as they should be
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
import os

_REFUSALS = {
    _errno.EPERM: "the hypervisor does not permit it",
    _errno.EACCES: "the hypervisor's security policy (FLASK) denies it",
    _errno.ENOSYS: "this hypervisor cannot do it",
}


class AgentError(Exception):
    """The base of all errors of the agent."""

    exit_code = 1
    http_status = 503


class Unavailable(AgentError):
    """Says that a real Xen cannot be read here: what is missing, why, and what to do."""

    exit_code = 2

    def __init__(self, what: str, why: str, advice: str) -> None:
        super().__init__("%s: %s; %s" % (what, why, advice))


class HypercallFailed(AgentError):
    """Says that the hypervisor, or the kernel on the way to it, has refused a hypercall."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.errno = number

    def __str__(self) -> str:
        """Return what the refusal means, and the name of its number."""
        name = _errno.errorcode.get(self.errno)
        if name is None:  # a hypervisor may answer any number
            return "it has failed (%d)" % self.errno
        return "%s (%s)" % (_REFUSALS.get(self.errno, os.strerror(self.errno)), name)


class StoreFailed(AgentError):
    """Says that xenstore does not answer, or not in its protocol."""
