"""Makes hypercalls through the device that Linux gives for them, with no library of Xen's.

Source: include/uapi/xen/privcmd.h of Linux.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Dict, NamedTuple, Sequence, Tuple, Union

from hypervisor.live.agent.errors import HypercallFailed, Unavailable

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

PAGE = 4096

_IOCTL_HYPERCALL = 0x305000
_IOCTL_MMAPBATCH_V2 = 0x205004
_HYPERCALL = struct.Struct("<6Q")
_MMAPBATCH = struct.Struct("<IHHQQQ")
_MOST_REQUESTS = 64
_MAP_LOCKED = 0x2000  # of Linux; the module mmap does not name it


class Memory(NamedTuple):
    """Memory that the hypervisor can read and write, and where it is."""

    address: int
    data: "Union[mmap.mmap, bytearray]"


class Privcmd(Protocol):
    """What makes hypercalls: the device, or what stands for it in tests."""

    def call(self, op: int, *args: int) -> int:
        """Make one hypercall and return its result.

        Raises:
            HypercallFailed: It was refused.
        """

    def memory(self, size: int) -> Memory:
        """Return new memory, zeroed and of at least `size` bytes, to be passed to hypercalls."""

    def map_frames(self, domid: int, frames: Sequence[int], is_writable: bool = True) -> Memory:
        """Map page frames of a domain, one after the other.

        Raises:
            HypercallFailed: A frame cannot be mapped, or not to be written.
        """

    def unmap(self, memory: Memory) -> None:
        """Give up memory that `map_frames` has returned. No view of it may be left."""


class PrivcmdDevice:
    """The privileged command device of domain 0. Threads may share it.

    Raises:
        Unavailable: There is none, or this process may not open it.
    """

    def __init__(self, root: str = "/") -> None:
        # The kernel does not write to a request, and few are different: they are kept.
        self._requests: Dict[Tuple[int, Tuple[int, ...]], bytearray] = {}
        devices = Path(root) / "dev/xen"
        path = str(devices / "privcmd")
        try:
            self._device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise _unavailable(path, error) from error
        try:
            self._memory = os.open(str(devices / "hypercall"), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            self._memory = -1  # before Linux 4.18

    def call(self, op: int, *args: int) -> int:
        """Make one hypercall and return its result."""
        key = (op, args)
        request = self._requests.get(key)
        if request is None:
            request = bytearray(_HYPERCALL.pack(op, *(args + (0,) * (5 - len(args)))))
            if len(self._requests) < _MOST_REQUESTS:
                self._requests[key] = request
        try:
            return int(fcntl.ioctl(self._device, _IOCTL_HYPERCALL, request, True))
        except OSError as error:
            raise HypercallFailed(error.errno or errno.EIO) from error

    def memory(self, size: int) -> Memory:
        """Return memory that stays where it is: the kernel's own, or locked pages."""
        length = -(-size // PAGE) * PAGE
        if self._memory >= 0:
            try:
                return _located(mmap.mmap(self._memory, length, mmap.MAP_SHARED))
            except OSError:
                pass  # the kernel limits how much one process may have of its own
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_LOCKED
        return _located(mmap.mmap(-1, length, flags))

    def map_frames(self, domid: int, frames: Sequence[int], is_writable: bool = True) -> Memory:
        """Map page frames of a domain, one after the other."""
        mapped = mmap.mmap(self._device, len(frames) * PAGE, mmap.MAP_SHARED)
        memory = _located(mapped)
        if not is_writable:
            _protect(memory)
        numbers = (ctypes.c_uint64 * len(frames))(*frames)
        errors = (ctypes.c_int * len(frames))()
        request = _MMAPBATCH.pack(
            len(frames),
            domid,
            0,
            memory.address,
            ctypes.addressof(numbers),
            ctypes.addressof(errors),
        )
        try:
            fcntl.ioctl(self._device, _IOCTL_MMAPBATCH_V2, bytearray(request), True)
        except OSError as error:
            mapped.close()
            raise HypercallFailed(error.errno or errno.EIO) from error
        refused = [-one for one in errors if one]
        if refused:
            mapped.close()
            raise HypercallFailed(refused[0])
        return memory

    def unmap(self, memory: Memory) -> None:
        """Give up memory that `map_frames` has returned."""
        assert isinstance(memory.data, mmap.mmap)
        memory.data.close()

    def close(self) -> None:
        """Close the device. Memory that it gave stays mapped."""
        os.close(self._device)
        if self._memory >= 0:
            os.close(self._memory)


def _located(mapped: mmap.mmap) -> Memory:
    return Memory(ctypes.addressof(ctypes.c_char.from_buffer(mapped)), mapped)


def _protect(memory: Memory) -> None:
    """Let memory be read only. The module mmap would not tell where such memory is."""
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    if protect(ctypes.c_void_p(memory.address), ctypes.c_size_t(len(memory.data)), mmap.PROT_READ):
        raise HypercallFailed(ctypes.get_errno())


def _how_to_open() -> str:
    """Return what helps where the device may not be opened."""
    return "run as root" if os.geteuid() else "look whether the kernel is locked down (lockdown)"


def _unavailable(path: str, error: OSError) -> Unavailable:
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unavailable(path, "may not be opened", _how_to_open())
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return Unavailable(
            path, "does not exist", "run in domain 0 of a Xen host; modprobe xen-privcmd there"
        )
    return Unavailable(path, error.strerror or "cannot be opened", "look at the kernel's log")
