"""Metrics of the service's own process, with the names that Prometheus' libraries have."""

from collections.abc import Callable, Iterator

from exporters.labels import GENERATION
from exporters.metric import Kind, Metric, Point, Points
from exporters.scopes import of_service
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats
from xenprof.service.process import ProcessStats

COUNTER, GAUGE, UPDOWN = Kind.COUNTER, Kind.GAUGE, Kind.UPDOWN


def of_process(value: Callable[[ProcessStats], float | None]) -> Points:
    """Return points for one value of the process, none where it is not known."""
    return of_service(lambda stats: None if stats.process is None else value(stats.process))


def collections(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield points by generation of Python's garbage collector."""
    if stats.process is not None:
        for generation, count in enumerate(stats.process.collections):
            yield (str(generation),), count


# fmt: off
PROCESS: tuple[Metric, ...] = (
    Metric("process_cpu_seconds_total", "process.cpu.time", COUNTER, "s",
           "Processor time of the service, user and system.", (),
           of_process(lambda p: p.cpu_seconds)),
    Metric("process_resident_memory_bytes", "process.memory.usage", UPDOWN, "By",
           "Memory of the service that is resident.", (),
           of_process(lambda p: p.resident_bytes)),
    Metric("process_virtual_memory_bytes", "process.memory.virtual", UPDOWN, "By",
           "Address space of the service.", (), of_process(lambda p: p.virtual_bytes)),
    Metric("process_open_fds", "process.unix.file_descriptor.count", UPDOWN, "{file_descriptor}",
           "Files and sockets that the service has open.", (), of_process(lambda p: p.open_files)),
    Metric("process_max_fds", "process.max_fds", GAUGE, "{file_descriptor}",
           "Most files and sockets that the service may have open.", (),
           of_process(lambda p: p.most_files)),
    Metric("process_start_time_seconds", "process.start_time", GAUGE, "s",
           "When the process of the service started, in Unix time.", (),
           of_process(lambda p: p.started_unix)),
    Metric("python_gc_collections_total", "cpython.gc.collections", COUNTER, "{collection}",
           "Runs of Python's garbage collector, by generation.", (GENERATION,), collections),
)
# fmt: on
