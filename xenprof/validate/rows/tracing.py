"""Row 46: what xenmon costs."""

from typing import Final

from hypervisor.domain0 import DOMAIN_0
from hypervisor.trace_events import GENERAL, GRANT_TRANSFER, SCHED
from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import MS, SECOND, Machine, Window, boot, guest, work

_HOST: Final = {
    "cpu": "p4-ht",
    "mhz": 3200,
    "sockets": 2,
    "cores_per_socket": 1,
    "threads_per_core": 2,
}
# As xenbaked sets them.
_EVENTS: Final = GENERAL | SCHED | GRANT_TRANSFER & 0xFFFFF000
_POLL_NS: Final = 100 * MS
_PCPUS: Final = 0xF


def own_cost(seed: int) -> tuple[float]:
    """Return what the host runs more while xenmon watches it, in percent of a pcpu."""
    without, watched = _host(seed), _host(seed)
    watched.tracer.set_poll(_POLL_NS, 1)
    watched.tracer.set_masks(_EVENTS, _PCPUS)
    return (_busy(watched) - _busy(without),)


def _host(seed: int) -> Machine:
    """Return a host with guests that sleep, serve and receive, so that all of it can be seen."""
    return boot(
        _HOST,
        guest("burst", work("burst", run_ms=2, sleep_ms=8)),
        guest("web", work("burst", run_ms=5, sleep_ms=20, jitter=0.5)),
        guest("net", work("netperf", direction="receive", rate_bits_per_second=100_000_000)),
        seed=seed,
    )


def _busy(host: Machine) -> float:
    window = Window(host, SECOND, 10 * SECOND)
    return sum(window.share(name) for name in (DOMAIN_0, "burst", "web", "net"))


EXPERIMENTS: Final = (
    Experiment(
        46,
        own_cost,
        (
            Figure(
                "processor time of xenmon",
                "% of a pcpu",
                (1, 2),
                0.5,
                3,
                "predicted",
                "tools/xenmon/README of Xen 3.0.3",
            ),
        ),
    ),
)
