"""Measures what a profile cannot show: idle time, unprofiled domains, lost and unread samples."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hypervisor.telemetry import HostSnapshot
from xenprof.home import DOMAIN_0_ID


@dataclass(frozen=True, slots=True)
class _Reading:
    idle_ns: int
    others: int
    lost: Counter[str]  # by reason


class Unseen:
    """Sums up the spans in which the host counted, for a domain's current session.

    A domain counts as profiled if it was on a list when counting began. Passive domains'
    samples belong to domain 0's session, and so do their losses.
    """

    def __init__(self, domid: int) -> None:
        self._is_domain0 = domid == DOMAIN_0_ID
        self._own = {domid}  # the domains whose samples this session holds
        self._begun: _Reading | None = None
        self._total = _Reading(0, 0, Counter())
        self._profiled: set[int] = set()

    def begin(self, snapshot: HostSnapshot) -> None:
        """Begin a span of counting, unless one has begun."""
        xenoprof = snapshot.xenoprof
        if self._is_domain0 and xenoprof:
            self._own |= set(xenoprof.passive_domains)
        if self._begun is None:
            self._begun = self._read(snapshot)
        self._profiled |= _profiled(snapshot)

    def end(self, snapshot: HostSnapshot) -> None:
        """End the span of counting, if one has begun."""
        self._total = self._sum(snapshot)
        self._begun = None

    def clear(self, snapshot: HostSnapshot) -> None:
        """Clear the sums for a new session."""
        self._total = _Reading(0, 0, Counter())
        self._profiled = set()
        if self._begun is not None:
            self._begun = None
            self.begin(snapshot)

    def lines(self, snapshot: HostSnapshot, unread: int) -> Iterator[str]:
        """Yield `key value` lines; `unread` is the number of samples in the domain's buffers."""
        total = self._sum(snapshot)
        yield f"idle_seconds {total.idle_ns / 1e9:.3f}"
        yield f"others_samples {total.others}"
        yield f"lost_samples {total.lost.total()}"
        yield f"lost_reasons {','.join(f'{why}={n}' for why, n in sorted(total.lost.items()))}"
        yield f"unread_samples {unread}"
        profiled = self._profiled or _profiled(snapshot)
        names = [domain.name for domain in snapshot.domains if domain.domid not in profiled]
        yield f"unprofiled_domains {','.join(names)}".rstrip()

    def _read(self, snapshot: HostSnapshot) -> _Reading:
        return _Reading(
            sum(pcpu.idle_ns for pcpu in snapshot.pcpus),
            snapshot.xenoprof.others if snapshot.xenoprof else 0,
            self._lost(snapshot),
        )

    def _lost(self, snapshot: HostSnapshot) -> Counter[str]:
        counts: Counter[str] = Counter()
        for lost in snapshot.lost:
            if lost.domid in self._own:
                counts[lost.reason] += lost.samples
        return counts

    def _sum(self, snapshot: HostSnapshot) -> _Reading:
        begun, total = self._begun, self._total
        if begun is None:
            return total
        now = self._read(snapshot)
        # Xen zeroes its counters when domain 0 opens the buffer again.
        others = now.others - begun.others if now.others >= begun.others else now.others
        return _Reading(
            total.idle_ns + now.idle_ns - begun.idle_ns,
            total.others + others,
            total.lost + (now.lost - begun.lost),
        )


def _profiled(snapshot: HostSnapshot) -> set[int]:
    xenoprof = snapshot.xenoprof
    return {*xenoprof.active_domains, *xenoprof.passive_domains} if xenoprof else set()
