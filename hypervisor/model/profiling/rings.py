"""The buffers that the hypervisor shares with the profiled domains: what fits and what is lost.

Each vcpu has a ring; a sample that finds it full is lost. Everything is computed in closed form,
for the samples of a whole segment at once.
Source: xen/arch/x86/oprofile/xenoprof.c (3.0.3).
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from hypervisor.model.profiling.samplerow import SampleRow, samples_of

ACTIVE_SAMPLES = 16  # per vcpu, requested by the guest driver; one slot stays free
PASSIVE_SAMPLES = 2048  # per vcpu of a passive domain, requested by domain 0
SHARED_BYTES = 32 * 4096  # at most 32 shared pages for each domain


@dataclass(slots=True)
class Ring:
    """The shared buffer of one vcpu: holds up to `capacity` samples."""

    size: int
    fill: int = 0
    rows: list[SampleRow] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        """Return the number of samples that it can hold: one slot always stays free."""
        return self.size - 1

    @property
    def samples(self) -> int:
        """Return the number of samples in the ring."""
        return samples_of(self.rows)

    def add(self, row: SampleRow, fill: int) -> None:
        """Add the samples of a row; `fill` slots are used then."""
        if row.samples:
            self.rows.append(row)
            self.fill = fill

    def empty(self) -> list[SampleRow]:
        """Take all rows out."""
        rows, self.rows, self.fill = self.rows, [], 0
        return rows


def ring_size(asked: int, vcpus: int) -> int:
    """Return the size of each vcpu's ring in samples: as requested, within the shared pages.

    Judgement: rings for samples with callers, our extension, have room for as many samples; the
    limit on shared pages, which is Xen's, is one on slots for samples without callers.
    """
    slots = (SHARED_BYTES // vcpus - 64) // 16 + 1
    return min(asked, max(2, slots))


def lost_between_virqs(ring: Ring, xen: int, virqs: int) -> int:
    """Return how many of `xen` hypervisor samples are lost around `virqs` guest samples.

    Each guest sample raises the VIRQ, which empties the ring. Hypervisor samples come in equal
    runs before each of them, the first run after what the ring holds already; the guest's own
    sample needs a slot as well.
    """
    capacity = ring.capacity
    if ring.fill + xen < capacity:  # they fit in any order
        return 0
    if not virqs:
        return ring.fill + xen - capacity
    each, more = divmod(xen, virqs)
    first = max(0, ring.fill + each + (more > 0) + 1 - capacity)
    rest = max(0, each + 1 - capacity) * (virqs - 1)
    rest += max(0, more - 1) * (each + 1 >= capacity)
    return min(first + rest, xen)


Span = tuple[int, int]
"""(from, to) in ns, both included."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as disjoint spans, in order."""
    result: list[Span] = []
    for from_ns, to_ns in sorted(spans):
        if result and from_ns <= result[-1][1]:
            result[-1] = (result[-1][0], max(to_ns, result[-1][1]))
        else:
            result.append((from_ns, to_ns))
    return result


def fit(ring: Ring, span_ns: Span, samples: int, emptied_ns: list[Span]) -> tuple[int, int]:
    """Return (samples that fit, fill afterwards) for samples spread evenly over `span_ns`.

    During each span of `emptied_ns` (merged), the ring is emptied continuously.
    """
    begin, end = span_ns
    length = max(end - begin, 1)
    fill, capacity = ring.fill, ring.capacity
    kept = placed = 0
    at = begin
    for index in range(bisect_left(emptied_ns, begin, key=itemgetter(1)), len(emptied_ns)):
        from_ns, to_ns = emptied_ns[index]
        if from_ns > end:
            break
        before = samples * (max(from_ns, at) - begin) // length - placed
        kept += min(before, capacity - fill)
        at = min(to_ns, end)
        during = samples * (at - begin) // length - placed - before
        kept += during
        placed += before + during
        fill = 0
    last = min(samples - placed, capacity - fill)
    return kept + last, fill + last
