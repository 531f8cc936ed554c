"""Declares the errors of a host, as one tree.

    HostError                   exit 1, HTTP 400
      ScenarioError             exit 2          a scenario file that cannot be used
      TableError                                a table of the model that cannot be used
      UnknownDomain             HTTP 404        no such domain
      Refused                   HTTP 409        the hypervisor or xend says no
      MissingCapability         HTTP 501        xenprof cannot manage, profile or trace the host
      UnknownValue              HTTP 501        the host does not know a value that is needed
      OprofilefsError           HTTP 409        a refused write below /dev/oprofile (has errno)

A package's own error classes are defined in that package, below one of these.
A message says what is wrong, with which thing, and what to do; it only ends in a full stop where
the original program prints one. It is one line, whatever the names in it are made of.
"""

import errno as _errno
from typing import Literal

from hypervisor.oneline import readable_line

Capability = Literal["toolstack", "profiler", "tracer"]

_WATCHED: dict[Capability, str] = {
    "toolstack": "xenprof only watches this host: its own toolstack manages its domains",
    "profiler": "xenprof only watches this host; to profile it, type in its domain 0: "
    "xenprof record, or python3 xenprof-agent.pyz contexts FILE",
    "tracer": "xenprof only watches this host; to trace it, type in its domain 0: "
    "python3 xenprof-agent.pyz trace FILE",
}
"""What to do without a capability, which real hosts alone lack: the programs are on the host."""


class HostError(Exception):
    """The base of all errors that a user can cause; each class has an exit code and HTTP status."""

    exit_code: int = 1
    http_status: int = 400

    def __init__(self, message: str = "") -> None:
        """Keep `message` as one line: what would break it is escaped, and a long one cut."""
        super().__init__(readable_line(message))


class ScenarioError(HostError):
    """Says that a scenario cannot be used; names the file, the key and the values allowed."""

    exit_code = 2


class TableError(HostError):
    """Says that a packaged table of the model cannot be used; names the table and the fault."""


class UnknownDomain(HostError):
    """Says that no domain has this name or id. The message is xm's own."""

    http_status = 404

    def __init__(self, domain: str) -> None:
        """Keep `domain` as typed."""
        super().__init__(f"Domain '{domain}' does not exist.")
        self.domain = domain


class Refused(HostError):
    """Says that the hypervisor or xend refuses; the message is the original's fault text."""

    http_status = 409


class MissingCapability(HostError):
    """Says that a command needs a capability that the host does not offer here, and what to do."""

    http_status = 501

    def __init__(self, capability: Capability, without: str = "") -> None:
        """Keep `capability`; `without` is another message than that of every command."""
        super().__init__(without or _WATCHED[capability])
        self.capability = capability


class UnknownValue(HostError):
    """Says that the host does not know a value that a command needs; the message names it."""

    http_status = 501

    def __init__(self, value: str, need: str) -> None:
        """`value` is a noun with its article, `need` what cannot be done without it."""
        super().__init__(f"this host does not know {value}: {need}")


class OprofilefsError(HostError):
    """Says that the driver refuses a read or write below /dev/oprofile."""

    http_status = 409

    def __init__(self, number: int, message: str) -> None:
        """`number` is the errno that the kernel would return, `message` names the missing step."""
        super().__init__(message)
        self.errno = number

    @property
    def errno_text(self) -> str:
        """Return what the shell prints for a failed echo, e.g. `Operation not permitted`."""
        import os

        return os.strerror(self.errno)


EPERM, EINVAL, EBUSY, ENODEV = _errno.EPERM, _errno.EINVAL, _errno.EBUSY, _errno.ENODEV
