"""What a profile cannot show: idle time, domains not profiled, samples lost or unread."""

from collections.abc import Iterator
from dataclasses import dataclass

from hypervisor.telemetry import HostSnapshot

UNSEEN_FILE = "xenprof_unseen"


@dataclass(frozen=True, slots=True)
class _Reading:
    idle_ns: int
    others: int
    lost: int


class Unseen:
    """Sums over the spans in which the host counted, for one domain's current session.

    A domain counts as profiled if it was on a list when counting began.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._begun: _Reading | None = None
        self._total = _Reading(0, 0, 0)
        self._profiled: set[str] = set()

    def begin(self, snapshot: HostSnapshot) -> None:
        """Counting starts; no effect while it runs."""
        if self._begun is None:
            self._begun = self._read(snapshot)
        self._profiled |= _profiled(snapshot)

    def end(self, snapshot: HostSnapshot) -> None:
        """Counting stops; no effect unless it runs."""
        self._total = self._sum(snapshot)
        self._begun = None

    def clear(self, snapshot: HostSnapshot) -> None:
        """A new session begins."""
        self._total = _Reading(0, 0, 0)
        self._profiled = set()
        if self._begun is not None:
            self._begun = None
            self.begin(snapshot)

    def lines(self, snapshot: HostSnapshot, unread: int) -> Iterator[str]:
        """Yield `key value` lines; `unread` samples wait in the domain's buffers."""
        total = self._sum(snapshot)
        yield f"idle_seconds {total.idle_ns / 1e9:.3f}"
        yield f"others_samples {total.others}"
        yield f"lost_samples {total.lost}"
        yield f"unread_samples {unread}"
        profiled = self._profiled or _profiled(snapshot)
        names = [domain.name for domain in snapshot.domains if domain.name not in profiled]
        yield f"unprofiled_domains {','.join(names)}".rstrip()

    def _read(self, snapshot: HostSnapshot) -> _Reading:
        return _Reading(
            sum(pcpu.idle_ns for pcpu in snapshot.pcpus),
            snapshot.xenoprof.others if snapshot.xenoprof else 0,
            sum(lost.samples for lost in snapshot.lost if lost.domain == self._domain),
        )

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
            total.lost + now.lost - begun.lost,
        )


def _profiled(snapshot: HostSnapshot) -> set[str]:
    xenoprof = snapshot.xenoprof
    domids = {*xenoprof.active_domains, *xenoprof.passive_domains} if xenoprof else set()
    return {domain.name for domain in snapshot.domains if domain.domid in domids}
