"""A read or write as programs and the kernel of a guest make it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Arg = TypeVar("Arg")


class BlockIo(Generic[Arg]):
    """A read or write of a workload. `done(io)` is called in the guest."""

    __slots__ = (
        "arg",
        "done",
        "is_direct",
        "is_write",
        "missing",
        "pid",
        "sector",
        "size_bytes",
        "submitted_ns",
        "vcpu",
    )

    def __init__(
        self,
        sector: int,
        size_bytes: int,
        is_write: bool,
        done: Callable[["BlockIo[Arg]"], None],
        submitted_ns: int,
        arg: Arg,
    ) -> None:
        """`arg` is a value for `done`."""
        self.sector = sector
        self.size_bytes = size_bytes
        self.is_write = is_write
        self.done = done
        self.submitted_ns = submitted_ns
        self.arg = arg
        self.missing = 0  # ring requests without an answer yet
        self.vcpu = 0  # where it was submitted
        self.pid = 0  # of the process that waits for it; 0: pdflush
        self.is_direct = False  # O_DIRECT


AnyBlockIo = BlockIo[Any]
"""A read or write as the drivers see it, which do not use its `arg`."""
