"""Metrics of the service: the model's pace, the history, scrapes, requests and pushes."""

import platform
from collections.abc import Callable, Iterator

from exporters.labels import (
    CODE,
    DROPPED_REASON,
    ENCODING,
    ENGINE,
    FORMAT,
    PYTHON,
    RECEIVER,
    RESULT,
    SIGNAL,
    VERSION,
)
from exporters.metric import Kind, Metric, Point, Points
from exporters.scopes import of_service
from hypervisor.telemetry import HostSnapshot
from xenprof.history.figures import HistoryStats
from xenprof.service.counts import Counted
from xenprof.service.exporter import ServiceStats

COUNTER, GAUGE, UPDOWN, INFO = Kind.COUNTER, Kind.GAUGE, Kind.UPDOWN, Kind.INFO


def build(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield a point with the versions of this program and of Python, and the engine."""
    yield (stats.version, platform.python_version(), stats.engine), 1


def of_history(value: Callable[[HistoryStats], float]) -> Points:
    """Return points for one value of the history, none without one."""
    return of_service(lambda stats: None if stats.history is None else value(stats.history))


def pushed(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield points by receiver and by the result of a slice, or of an attempt to send one."""
    for receiver, push in (stats.history.pushes if stats.history else {}).items():
        yield (receiver, "sent"), push.sent
        yield (receiver, "dropped"), push.dropped
        yield (receiver, "failed"), push.failures


def counts(what: Counted) -> Points:
    """Return points for what the service counts of one kind."""

    def points(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        return iter(stats.counts.get(what, {}).items())

    return points


def render_seconds(_: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
    """Yield points by format."""
    for form, spent in stats.render_seconds.items():
        yield (form,), spent


# fmt: off
SERVICE: tuple[Metric, ...] = (
    Metric("xenprof_up", "xenprof.up", UPDOWN, "{service}",
           "1 = the host is being read, 0 = what you see is the last that was read.", (),
           of_service(lambda s: int(s.up))),
    Metric("xenprof_build_info", "xenprof.build.info", INFO, "1",
           "Versions of xenprof and of the Python that runs it, and what the model runs as.",
           (VERSION, PYTHON, ENGINE), build),
    Metric("xenprof_start_time_seconds", "xenprof.start_time", GAUGE, "s",
           "When the service started, in Unix time.", (),
           of_service(lambda s: s.started_unix)),
    Metric("xenprof_model_time_seconds_total", "xenprof.model.time", COUNTER, "s",
           "Virtual time since the service started. Its rate is the speed: divide other rates by "
           "it to get figures per virtual second.", (), of_service(lambda s: s.model_seconds)),
    Metric("xenprof_model_speed_ratio", "xenprof.model.speed", GAUGE, "1",
           "Virtual seconds per second of wall time, as measured.", (),
           of_service(lambda s: s.speed)),
    Metric("xenprof_model_lag_seconds_total", "xenprof.model.lag", COUNTER, "s",
           "Wall time that the model has slipped behind its schedule.", (),
           of_service(lambda s: s.lag_seconds)),
    Metric("xenprof_damaged_files_total", "xenprof.damaged_files", COUNTER, "{file}",
           "Sample files, stacks and images that were found damaged and set aside.", (),
           of_service(lambda s: s.damaged_files)),
    Metric("xenprof_history_slices", "xenprof.history.slices", UPDOWN, "{slice}",
           "Slices of the rolling history of samples.", (), of_history(lambda h: h.slices)),
    Metric("xenprof_history_bytes", "xenprof.history.bytes", UPDOWN, "By",
           "What the slices of the history take on the disk.", (), of_history(lambda h: h.bytes)),
    Metric("xenprof_history_dropped_slices_total", "xenprof.history.dropped_slices", COUNTER,
           "{slice}", "Slices of the history that could not be written.", (),
           of_history(lambda h: h.dropped)),
    Metric("xenprof_push_slices_total", "xenprof.push.slices", COUNTER, "{slice}",
           "Slices sent to a receiver of profiles, dropped, and attempts that failed.",
           (RECEIVER, RESULT), pushed),
    Metric("xenprof_push_sent_total", "xenprof.push.sent", COUNTER, "{item}",
           "Points, records, spans and profiles that a receiver of OpenTelemetry has accepted.",
           (SIGNAL,), counts(Counted.PUSH_SENT)),
    Metric("xenprof_push_dropped_total", "xenprof.push.dropped", COUNTER, "{item}",
           "Points, records, spans and profiles that the receiver will never get, by reason.",
           (SIGNAL, DROPPED_REASON), counts(Counted.PUSH_DROPPED)),
    Metric("xenprof_push_failures_total", "xenprof.push.failures", COUNTER, "{push}",
           "Pushes to a receiver of OpenTelemetry that failed, in part or as a whole; no series of "
           "a signal that is sent nowhere.", (SIGNAL,),
           counts(Counted.PUSH_FAILURES)),
    Metric("xenprof_scrapes_total", "xenprof.scrapes", COUNTER, "{scrape}",
           "Scrapes that were answered, by format.", (FORMAT,), counts(Counted.SCRAPES)),
    Metric("xenprof_scrape_bytes_total", "xenprof.scrape", COUNTER, "By",
           "Bytes of the answers to scrapes, by encoding.", (ENCODING,),
           counts(Counted.SCRAPE_BYTES)),
    Metric("xenprof_scrape_timeouts_total", "xenprof.scrape_timeouts", COUNTER, "{scrape}",
           "Scrapes that could not be answered within the scraper's own time limit.", (),
           counts(Counted.SCRAPE_TIMEOUTS)),
    Metric("xenprof_render_duration_seconds", "xenprof.render.duration", GAUGE, "s",
           "How long it took last time to render a scrape, by format.", (FORMAT,), render_seconds),
    Metric("xenprof_http_requests_total", "xenprof.http.requests", COUNTER, "{request}",
           "HTTP requests by the status of the answer.", (CODE,), counts(Counted.HTTP_REQUESTS)),
    Metric("xenprof_authentication_failures_total", "xenprof.authentication_failures", COUNTER,
           "{request}", "HTTP requests without a right password.", (),
           counts(Counted.AUTHENTICATION_FAILURES)),
)
# fmt: on
