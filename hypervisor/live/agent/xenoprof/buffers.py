"""Reads the buffers that the hypervisor writes samples to, one for each vcpu.

A buffer begins with the places to write and to read next. One place is always free, so that a
full buffer differs from an empty one; what finds it full is lost, and counted there. The counts
run on from one profile to the next.
Source: xen/common/xenoprof.c (xenoprof_add_sample), xen/include/public/xenoprof.h.
"""

from typing import List, NamedTuple, Sequence, Tuple

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.xen.privcmd import PAGE, Memory, Privcmd
from hypervisor.live.agent.xenoprof import layouts
from hypervisor.live.agent.xenoprof.hypercall import Shared

DOMID_SELF = 0x7FF0
"""Who asks: the pages of buffers are the hypervisor's, and shared with the domain that reads."""

_HEAD, _TAIL, _SIZE, _VCPU = range(4)  # of the words that a buffer begins with
_COUNTS_AT = 2  # of the counts, in double words

Entry = Tuple[int, int, int]
"""A sample: pc, mode, counter."""


class BufferBroken(AgentError):
    """Says that a buffer is not as it should be, and is not read on."""


class BufferShared(AgentError):
    """Says that another program reads the buffers, which serve one at a time."""

    def __init__(self) -> None:
        super().__init__(
            "Xenoprof: another program reads its buffers too; end it, and begin this again"
        )


class Counts(NamedTuple):
    """How many samples were written to a buffer, by mode, and how many found it full."""

    hypervisor: int
    kernel: int
    user: int
    lost: int

    def since(self, earlier: "Counts") -> "Counts":
        """Return what came after `earlier`; a count that went down begins again."""
        return Counts(*(now - max(0, min(now, then)) for now, then in zip(self, earlier)))

    @property
    def written(self) -> int:
        """All that were not lost."""
        return self.hypervisor + self.kernel + self.user


class Buffer:
    """The buffer of one vcpu. This process alone reads it."""

    def __init__(self, domid: int, content: memoryview) -> None:
        """Raise BufferBroken if it cannot be one."""
        self.domid = domid
        self._entries = content[layouts.BUFFER.size :]
        # The hypervisor reads and writes these at any time, so both sides must move whole words:
        # `struct` with a byte order moves single bytes.
        self._words = content[: layouts.BUFFER.size].cast("I")
        self._longs = content[: layouts.BUFFER.size].cast("Q")
        self._size = self._words[_SIZE]
        self.vcpu = self._words[_VCPU]
        if not 1 < self._size <= len(self._entries) // layouts.ENTRY.size:
            self.release()
            self._refuse("its size is %d" % self._size)
        self._read_to = self._words[_TAIL]
        self._before = Counts(*self._longs[_COUNTS_AT:])

    def begin(self) -> None:
        """Leave out what is in it, and count from here on."""
        self._read_to = self._words[_TAIL] = self._words[_HEAD]
        self._before = self._counted()

    def counts(self) -> Counts:
        """Return what was counted since `begin`."""
        return self._counted().since(self._before)

    def take(self) -> List[Entry]:
        """Return the samples that were written since the last time.

        Raises:
            BufferShared: Another program has read some meanwhile.
            BufferBroken: The places to write and read cannot be right.
        """
        head, tail = self._words[_HEAD], self._words[_TAIL]
        if max(head, tail) >= self._size:
            self._refuse("it is written to %d and read to %d of %d" % (head, tail, self._size))
        if tail != self._read_to:
            raise BufferShared
        ends = ((tail, head),) if tail <= head else ((tail, self._size), (0, head))
        found: List[Entry] = []
        for begin, end in ends:
            part = bytes(self._entries[begin * layouts.ENTRY.size : end * layouts.ENTRY.size])
            found.extend(layouts.ENTRY.iter_unpack(part))
        self._read_to = self._words[_TAIL] = head
        return found

    def release(self) -> None:
        """Let go of the memory, which can be unmapped then."""
        for view in (self._words, self._longs, self._entries):
            view.release()

    def _counted(self) -> Counts:
        return Counts(*self._longs[_COUNTS_AT:])

    def _refuse(self, why: str) -> None:
        raise BufferBroken("Xenoprof: the buffer of domain %d: %s" % (self.domid, why))


class Mapped:
    """The buffers of one domain, mapped here until `release`."""

    def __init__(self, privcmd: Privcmd, domid: int, shared: Shared) -> None:
        """Raise BufferBroken if they cannot be some, HypercallFailed if they cannot be mapped."""
        size = shared.buffers * shared.buffer_bytes
        if (
            shared.buffers < 1
            or shared.buffer_bytes < layouts.LEAST_BUFFER_BYTES
            or size > layouts.MOST_PAGES * PAGE
            or shared.address % PAGE
        ):
            raise BufferBroken("Xenoprof: domain %d cannot have such buffers: %r" % (domid, shared))
        first = shared.address // PAGE
        frames = range(first, first + -(-size // PAGE))
        self._privcmd = privcmd
        self._memory: Memory = privcmd.map_frames(DOMID_SELF, frames)
        self.buffers: List[Buffer] = []
        try:
            with memoryview(self._memory.data) as whole:
                for at in range(0, size, shared.buffer_bytes):
                    with whole[at : at + shared.buffer_bytes] as content:
                        self.buffers.append(Buffer(domid, content))
        except BufferBroken:
            self.release()
            raise

    def release(self) -> None:
        """Unmap them: the hypervisor must not give the pages to others before that."""
        for buffer in self.buffers:
            buffer.release()
        self._privcmd.unmap(self._memory)


def all_buffers(mapped: Sequence[Mapped]) -> List[Buffer]:
    """Return the buffers of all domains."""
    return [buffer for one in mapped for buffer in one.buffers]
