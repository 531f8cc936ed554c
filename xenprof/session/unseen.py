"""Measures what a profile cannot show: idle time, unprofiled domains, lost and unread samples."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hypervisor.telemetry import HostSnapshot, Life
from hypervisor.telemetry.unknown import minus, total
from xenprof.home import DOMAIN_0_ID
from xenprof.store.losses import NEVER_READ, count_in, parse_reasons, reasons_text


@dataclass(frozen=True, slots=True)
class _Reading:
    idle_ns: int | None = 0  # None: the host does not know its idle time
    others: int = 0


class Unseen:
    """Sums up what happened beside a domain's current session.

    Idle time and samples of other domains count while the host counts, losses at any time. A
    domain counts as profiled if it was on a list when counting began. Passive domains'
    samples belong to domain 0's session, and so do their losses.
    """

    def __init__(self, domid: int, snapshot: HostSnapshot, earlier: Mapping[str, str]) -> None:
        """`earlier` are the lines that earlier daemons of the session have left, by key."""
        self._is_domain0 = domid == DOMAIN_0_ID
        self._own = {domid}  # the domains whose samples this session holds
        self._begun: _Reading | None = None
        self._total = _Reading(
            _idle_ns(earlier.get("idle_seconds", "0")), count_in(earlier.get("others_samples", ""))
        )
        self._profiled: set[int] = set()
        self._lost = Counter(parse_reasons(earlier.get("lost_reasons", "")))
        # A new daemon empties the rings, so what the last one has not read is lost.
        self._lost[NEVER_READ] += count_in(earlier.get("unread_samples", ""))
        self._known = _losses(snapshot)  # losses of other sessions

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
        self._total = _Reading()
        self._profiled = set()
        self._lost.clear()
        self._known = _losses(snapshot)
        if self._begun is not None:
            self._begun = None
            self.begin(snapshot)

    def lines(self, snapshot: HostSnapshot, unread: int) -> Iterator[str]:
        """Yield `key value` lines; `unread` is the number of samples in the domain's buffers."""
        seen = self._sum(snapshot)
        yield "idle_seconds" if seen.idle_ns is None else f"idle_seconds {seen.idle_ns / 1e9:.3f}"
        yield f"others_samples {seen.others}"
        lost = self._all_lost(snapshot)
        yield f"lost_samples {lost.total()}"
        yield f"lost_reasons {reasons_text(lost)}"
        yield f"unread_samples {unread}"
        profiled = self._profiled or _profiled(snapshot)
        names = [domain.name for domain in snapshot.domains if domain.domid not in profiled]
        yield f"unprofiled_domains {','.join(names)}".rstrip()

    def _read(self, snapshot: HostSnapshot) -> _Reading:
        return _Reading(
            total(pcpu.idle_ns for pcpu in snapshot.pcpus) if snapshot.pcpus else None,
            snapshot.xenoprof.others if snapshot.xenoprof else 0,
        )

    def _all_lost(self, snapshot: HostSnapshot) -> Counter[str]:
        counts = self._lost.copy()
        for (life, reason), samples in _losses(snapshot).items():
            if life[0] in self._own:
                counts[reason] += samples - self._known.get((life, reason), 0)
        return +counts

    def _sum(self, snapshot: HostSnapshot) -> _Reading:
        begun, ended = self._begun, self._total
        if begun is None:
            return ended
        now = self._read(snapshot)
        # Xen zeroes its counters when domain 0 opens the buffer again.
        others = now.others - begun.others if now.others >= begun.others else now.others
        return _Reading(
            total((ended.idle_ns, minus(now.idle_ns, begun.idle_ns))),
            ended.others + others,
        )


def _idle_ns(seconds: str) -> int | None:
    """Return seconds with three decimals in ns: None for no text, 0 for anything else."""
    if not seconds:
        return None
    whole, _, thousandths = seconds.partition(".")
    return count_in(whole) * 10**9 + count_in(thousandths.ljust(3, "0")[:3]) * 10**6


def _losses(snapshot: HostSnapshot) -> dict[tuple[Life, str], int]:
    return {(lost.life, lost.reason): lost.samples for lost in snapshot.lost}


def _profiled(snapshot: HostSnapshot) -> set[int]:
    xenoprof = snapshot.xenoprof
    return {*xenoprof.active_domains, *xenoprof.passive_domains} if xenoprof else set()
