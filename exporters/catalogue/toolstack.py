"""Metrics of the toolstack: what xend has done, with results and durations."""

from collections.abc import Iterator

from exporters.labels import EVENT_OF_XEND, OPERATION, OPERATION_RESULT
from exporters.metric import Distribution, Kind, Metric, Point, bounds_of, distribution
from hypervisor.telemetry import OPERATION_BUCKETS_NS, HostSnapshot
from xenprof.service.exporter import ServiceStats

OPERATION_BOUNDS = bounds_of(OPERATION_BUCKETS_NS)
OPERATIONS = (
    *("block-attach", "block-configure", "block-detach", "create", "delete", "destroy"),
    *("dump-core", "mem-max", "mem-set", "network-attach", "network-detach", "new", "pause"),
    *("rename", "restart", "restore", "resume", "save", "sched-credit", "sched-sedf", "shutdown"),
    *("start", "suspend", "sysrq", "trigger", "unpause", "vcpu-pin", "vcpu-set"),
)
RESULTS = ("done", "failed")
_NONE_YET = Distribution((0,) * (len(OPERATION_BOUNDS) + 1), 0.0)


def xend_events(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by event."""
    for event, count in host.events.items():
        yield (event,), count


def operations(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by operation and result, from 0 on where the host has a toolstack.

    A counter that began with its first operation would show no growth at that one.
    """
    found = {(one.operation, one.result): distribution(one.durations) for one in host.operations}
    if host.events:
        for operation in OPERATIONS:
            for result in RESULTS:
                yield (operation, result), found.pop((operation, result), _NONE_YET)
    yield from found.items()


# fmt: off
TOOLSTACK: tuple[Metric, ...] = (
    Metric("xen_toolstack_events_total", "xen.toolstack.events", Kind.COUNTER, "{event}",
           "What xend has done to domains: created, destroyed, restarted, saved, ...",
           (EVENT_OF_XEND,), xend_events),
    Metric("xen_toolstack_operation_seconds", "xen.toolstack.operation", Kind.HISTOGRAM, "s",
           "How long operations of xend took, in the host's time, by how they ended (done, "
           "failed).", (OPERATION, OPERATION_RESULT), operations, bounds=OPERATION_BOUNDS),
)
# fmt: on
