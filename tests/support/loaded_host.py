"""A host like that of `snapshots.grumble` on which also what is rare happens all the time."""

from dataclasses import replace

from hypervisor.telemetry import (
    DomainSnapshot,
    Histogram,
    HostSnapshot,
    Mode,
    OperationCount,
    SampleCount,
)
from tests.support.snapshots import grumble, uuid

_PROFILED = "rhel5pvtest"
_PROFILED_ID = 3
_CRASHED = "r5b2-mySQL01"
_CRASH = 3  # SHUTDOWN_crash


def loaded(step: int) -> HostSnapshot:
    """Return the host `step` virtual seconds after boot."""
    host = grumble(step)
    return replace(
        host,
        domains=tuple(map(_crashed, host.domains)),
        samples=(
            *host.samples,
            _sample("INSTR_RETIRED", "instructions", step),
            _sample("BSQ_CACHE_REFERENCE", "cache_misses", step),
        ),
        operations=(
            OperationCount("create", "done", Histogram((0, 0, step, *[0] * 8), step * 10**8)),
            OperationCount("create", "failed", Histogram((step, *[0] * 10), step * 5 * 10**6)),
        ),
    )


def _crashed(domain: DomainSnapshot) -> DomainSnapshot:
    if domain.name != _CRASHED:
        return domain
    return replace(domain, shutdown=True, crashed=True, blocked=False, shutdown_reason=_CRASH)


def _sample(event: str, measures: str, step: int) -> SampleCount:
    return SampleCount(
        domain=_PROFILED,
        mode=Mode.USER,
        event=event,
        samples=step * 50,
        domid=_PROFILED_ID,
        uuid=uuid(_PROFILED_ID),
        counted=step * 50 * 100_000,
        measures=measures,
    )
