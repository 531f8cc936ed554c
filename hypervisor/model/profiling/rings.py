"""The buffers that the hypervisor shares with the profiled domains: what fits, what is lost.

One ring a vcpu; a sample that finds it full is lost. All in closed form, for the samples of a
whole segment at once.
Source: xen/arch/x86/oprofile/xenoprof.c (3.0.3).
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from hypervisor.model.profiling.chunks import SampleRow, samples_of

ACTIVE_SAMPLES = 16  # per vcpu, asked for by the guest driver; one slot stays free
PASSIVE_SAMPLES = 2048  # per vcpu of a passive domain, asked for by domain 0
SHARED_BYTES = 32 * 4096  # at most 32 shared pages a domain


@dataclass(slots=True)
class Ring:
    """The shared buffer of one vcpu: holds up to `capacity` samples."""

    size: int
    fill: int = 0
    rows: list[SampleRow] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        """Return how many samples it can hold: one slot always stays free."""
        return self.size - 1

    @property
    def samples(self) -> int:
        """Return the samples that nobody has taken out yet."""
        return samples_of(self.rows)

    def add(self, row: SampleRow, fill: int) -> None:
        """Put in the samples of a row; the ring is filled up to `fill` then."""
        if row.samples:
            self.rows.append(row)
            self.fill = fill

    def empty(self) -> list[SampleRow]:
        """Take everything out."""
        rows, self.rows, self.fill = self.rows, [], 0
        return rows


def ring_size(asked: int, vcpus: int, depth: int = 0) -> int:
    """Return how many samples each vcpu's ring has room for: as asked for, within shared pages.

    A sample is a slot; with call stacks each takes two (its mark) and one for each of `depth`
    callers, so that fewer fit (judgement: as if all had so many).
    """
    slots = (SHARED_BYTES // vcpus - 64) // 16 + 1
    return min(asked, max(2, slots // (depth + 2) if depth else slots))


def lost_between_virqs(ring: Ring, xen: int, virqs: int) -> int:
    """Return how many of `xen` hypervisor samples are lost around `virqs` guest samples.

    Each guest sample raises the VIRQ, which empties the ring. Hypervisor samples come in even
    runs before each of them, the first on top of what is there; the guest's own sample needs a
    slot as well.
    """
    capacity = ring.capacity
    if ring.fill + xen < capacity:  # they fit whatever their order is
        return 0
    if not virqs:
        return ring.fill + xen - capacity
    each, more = divmod(xen, virqs)
    first = max(0, ring.fill + each + (more > 0) + 1 - capacity)
    rest = max(0, each + 1 - capacity) * (virqs - 1)
    rest += max(0, more - 1) * (each + 1 >= capacity)
    return min(first + rest, xen)


Span = tuple[int, int]
"""(from, to) in ns; both ends belong to it."""


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

    While a span of `emptied_ns` (merged) lasts, the ring is emptied all the time.
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
