"""Tells since when the counters of each domain count, in the Unix time of the wall."""

from exporters.lives import last_lives
from exporters.metric import NS_PER_SECOND
from hypervisor.telemetry import HostSnapshot, Life
from xenprof.service.exporter import ServiceStats


class Starts:
    """Keeps the start of each life, which must not change from one push to the next.

    A model begins with the service, which has seen all that it counts. A host that is watched has
    counted before; that is known by its `boot`.
    """

    def __init__(self) -> None:
        self._starts: dict[Life | None, int] = {}
        self._boot: str | None = None
        self._told_ns = 0
        self._new: set[Life | None] = set()
        self.seen_ns = 0
        """When a watched host was last seen before now."""
        self.by_name: dict[str, Life] = {}
        self.boots = 0
        """How many boots of a watched host have been seen. Each begins all counters anew."""
        self.service_start_ns = 0
        """When the service started: its own counters were 0 then, as were those of a model."""

    @property
    def is_watched(self) -> bool:
        """Return whether the host may have counted before the service saw it."""
        return self._boot is not None

    def update(self, host: HostSnapshot, stats: ServiceStats, offset_ns: int, now_ns: int) -> None:
        """Take over the domains of a snapshot; `offset_ns` leads from the host's time to ours."""
        self.service_start_ns = int(stats.started_unix * NS_PER_SECOND)
        self.by_name = dict(last_lives(host))
        boot_ns = host.unix_ns - host.time_ns + offset_ns
        if not host.is_up:
            return  # its domains may live on
        if host.boot is None:
            # The times of a model that is faster or slower than the wall are not the wall's.
            self._starts = self._of_lives(host, boot_ns, self.service_start_ns)
        else:
            self._watch(host, host.boot, max(boot_ns, 0), now_ns)

    def _watch(self, host: HostSnapshot, boot: str, boot_ns: int, now_ns: int) -> None:
        """Take over what is seen of a host that is watched."""
        self.seen_ns, self._told_ns = self._told_ns, now_ns
        is_next = True
        if boot != self._boot:
            # Another host may answer now, which was there before.
            is_next = self._boot is not None and boot_ns >= self.seen_ns
            self._starts, self._boot = {None: boot_ns}, boot
            self.boots += 1
            self._new = {None} if is_next else set()
        else:
            self._new = set()
        begun_ns = self._starts[None]
        found = self._of_lives(host, begun_ns, begun_ns)
        if is_next:
            self._new |= found.keys() - self._starts.keys()
        self._starts = {life: min(start_ns, now_ns) for life, start_ns in found.items()}
        self._starts[None] = begun_ns

    def _of_lives(self, host: HostSnapshot, boot_ns: int, least_ns: int) -> dict[Life | None, int]:
        known = self._starts
        created = {domain.life: domain.created_ns or 0 for domain in host.domains}
        return {
            life: max(known.get(life, boot_ns + created.get(life, 0)), least_ns)
            for life in self.by_name.values()
        }

    def start_ns(self, life: Life | None, *, of_service: bool = False) -> int:
        """Return since when the counters of a domain count; None: those of the host.

        `of_service`: of what the service counts itself.
        """
        if of_service or (life is None and not self.is_watched):
            return self.service_start_ns
        return self._starts[life]

    def is_new(self, life: Life | None) -> bool:
        """Return whether a life has begun since the watched host was last seen."""
        return life in self._new

    def has(self, life: Life | None) -> bool:
        """Return whether a life goes on, or has lost samples that are still told."""
        return life in self._starts
