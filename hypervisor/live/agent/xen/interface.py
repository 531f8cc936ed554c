"""Speaks Xen's control interfaces in the version that this Xen has, which it finds by probing."""

import errno
import struct
from typing import Sequence, Tuple, TypeVar

from hypervisor.live.agent.errors import HypercallFailed, Unavailable
from hypervisor.live.agent.xen import layouts
from hypervisor.live.agent.xen.layouts import DomctlLayout, SysctlLayout
from hypervisor.live.agent.xen.privcmd import Privcmd

_SYSCTL = 35
_DOMCTL = 36
_GONE = (errno.ESRCH, errno.EINVAL, errno.ENOENT)
_BUFFER_BYTES = 65536
_NO_COMMAND = 0  # which no version has

_Layout = TypeVar("_Layout", DomctlLayout, SysctlLayout)


class Interface:
    """A request and a buffer that are passed to the hypervisor, by one thread.

    Fill `request` from `DOMCTL_AT` or `SYSCTL_AT` on, then call `ask_domain` or `ask_host`, and
    read the answer at the same place.

    Raises:
        Unavailable: Its interfaces have a version that is not in the tables.
    """

    DOMCTL_AT = 16
    SYSCTL_AT = 8

    def __init__(self, privcmd: Privcmd) -> None:
        self.calls = 0  # hypercalls made
        self._privcmd = privcmd
        request = privcmd.memory(layouts.REQUEST_BYTES)
        buffer = privcmd.memory(_BUFFER_BYTES)
        self.request = request.data
        self.buffer = buffer.data
        self.buffer_address = buffer.address
        self._request_address = request.address
        self.domctl = self._probe("domctl", _DOMCTL, layouts.DOMCTL)
        self.sysctl = self._probe("sysctl", _SYSCTL, layouts.SYSCTL)

    def call(self, op: int, *args: int) -> int:
        """Make one hypercall and return its result.

        Raises:
            HypercallFailed: It was refused.
        """
        self.calls += 1
        return self._privcmd.call(op, *args)

    def ask_domain(self, command: int, domid: int) -> bool:
        """Ask about a domain; return whether what is asked about is there.

        Raises:
            HypercallFailed: The hypervisor has refused for another reason.
        """
        layouts.DOMCTL_HEAD.pack_into(self.request, 0, command, self.domctl.version, domid)
        self.calls += 1
        try:
            self._privcmd.call(_DOMCTL, self._request_address)
        except HypercallFailed as error:
            if error.errno in _GONE:
                return False
            raise
        return True

    def ask_host(self, command: int) -> None:
        """Ask about the host.

        Raises:
            HypercallFailed: The hypervisor has refused.
        """
        layouts.SYSCTL_HEAD.pack_into(self.request, 0, command, self.sysctl.version)
        self.call(_SYSCTL, self._request_address)

    def clear(self, size: int) -> int:
        """Zero the first `size` bytes of the buffer, or all if it has less; return how many."""
        size = min(size, _BUFFER_BYTES)
        self.buffer[:size] = bytes(size)
        return size

    def _probe(self, kind: str, op: int, known: Tuple[_Layout, ...]) -> _Layout:
        """Return the layout that is accepted: a wrong version is EACCES, and else ENOSYS."""
        for layout in known:
            struct.pack_into("<II8x", self.request, 0, _NO_COMMAND, layout.version)
            try:
                self.call(op, self._request_address)
            except HypercallFailed as error:
                if error.errno == errno.EACCES:
                    continue
            return layout
        raise _unknown(kind, [layout.version for layout in known])


def _unknown(kind: str, tried: Sequence[int]) -> Unavailable:
    numbers = ", ".join("0x%x" % version for version in tried)
    return Unavailable(
        "Xen's %s interface" % kind,
        "it accepts none of the versions %s" % numbers,
        "this program knows Xen 4.14 to 4.22",
    )
