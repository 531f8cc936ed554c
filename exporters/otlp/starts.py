"""Tells since when the counters of each domain count, in the Unix time of the wall."""

from exporters.lives import last_lives
from exporters.metric import NS_PER_SECOND
from hypervisor.telemetry import HostSnapshot, Life
from xenprof.service.exporter import ServiceStats


class Starts:
    """Keeps the start of each life, which must not change from one push to the next."""

    def __init__(self) -> None:
        self._starts: dict[Life, int] = {}
        self.by_name: dict[str, Life] = {}
        self.service_start_ns = 0
        """When the service started: every counter was 0 then, or its domain did not exist yet."""

    def update(self, host: HostSnapshot, stats: ServiceStats, offset_ns: int) -> None:
        """Take over the domains of a snapshot; `offset_ns` leads from the host's time to ours."""
        self.service_start_ns = int(stats.started_unix * NS_PER_SECOND)
        self.by_name = dict(last_lives(host))
        boot_ns = host.unix_ns - host.time_ns + offset_ns
        known, self._starts = self._starts, {}
        created = {domain.life: domain.created_ns or 0 for domain in host.domains}
        for life in self.by_name.values():
            start_ns = known.get(life)
            if start_ns is None:
                start_ns = boot_ns + created.get(life, 0)
            # The times of a model that is faster or slower than the wall are not those of the wall.
            self._starts[life] = max(start_ns, self.service_start_ns)

    def start_ns(self, life: Life | None) -> int:
        """Return since when the counters of a domain count; None: those of host and service."""
        return self.service_start_ns if life is None else self._starts[life]

    def has(self, life: Life | None) -> bool:
        """Return whether a life goes on, or has lost samples that are still told."""
        return life in self._starts
