"""Everything that can go wrong with a host, as one tree.

    HostError                   exit 1, HTTP 400
      ScenarioError             exit 2          a scenario file that cannot be used
      TableError                                a table of the model that cannot be used
      UnknownDomain             HTTP 404        no such domain
      Refused                   HTTP 409        the hypervisor or xend says no
      MissingCapability         HTTP 501        the host has no toolstack, profiler or tracer
      OprofilefsError           HTTP 409        a refused write below /dev/oprofile (has errno)

Classes of one room stand in that room, below one of these.
A message says what, which one, and what to do; it never ends in a full stop that the
original program does not print.
"""

import errno as _errno
from typing import Literal

Capability = Literal["toolstack", "profiler", "tracer"]

_WITHOUT: dict[Capability, str] = {
    "toolstack": "its domains can be looked at, not managed",
    "profiler": "its domains cannot be sampled",
    "tracer": "it records no trace",
}


class HostError(Exception):
    """Base of all errors that a user can cause; `exit_code` and `http_status` per class."""

    exit_code: int = 1
    http_status: int = 400


class ScenarioError(HostError):
    """A scenario that cannot be used: names file, key and the values allowed."""

    exit_code = 2


class TableError(HostError):
    """A table that the model comes with cannot be used: names the table and what is wrong."""


class UnknownDomain(HostError):
    """No domain has this name or id. The message is xm's own."""

    http_status = 404

    def __init__(self, domain: str) -> None:
        """Keep `domain` as typed."""
        super().__init__(f"Domain '{domain}' does not exist.")
        self.domain = domain


class Refused(HostError):
    """The hypervisor or xend refuses; the message is the original's fault text."""

    http_status = 409


class MissingCapability(HostError):
    """The host does not offer what a command needs; the message names it."""

    http_status = 501

    def __init__(self, capability: Capability) -> None:
        """Keep `capability`, and say what cannot be done without it."""
        super().__init__(f"this host has no {capability}: {_WITHOUT[capability]}")
        self.capability = capability


class OprofilefsError(HostError):
    """A read or write below /dev/oprofile that the driver refuses."""

    http_status = 409

    def __init__(self, number: int, message: str) -> None:
        """`number` is the errno the kernel would return, `message` the missing step."""
        super().__init__(message)
        self.errno = number

    @property
    def errno_text(self) -> str:
        """Return what the shell prints for a failed echo, e.g. `Operation not permitted`."""
        import os

        return os.strerror(self.errno)


EPERM, EINVAL, EBUSY, ENODEV = _errno.EPERM, _errno.EINVAL, _errno.EBUSY, _errno.ENODEV
