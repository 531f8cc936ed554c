"""The records between readers of the trace rings and the service."""

from dataclasses import dataclass

from xenprof.wire.requests import Request


@dataclass(frozen=True, slots=True)
class StartTrace(Request):
    """Start to record for a new reader; None: all events, all pcpus, otherwise the default."""

    command = "trace start"
    route = "/api/v1/trace/start"

    event_mask: int | None = None
    poll_ms: int | None = None
    threshold: int | None = None
    pcpu_mask: int | None = None
    ring_pages: int | None = None


@dataclass(frozen=True, slots=True)
class ReadTrace(Request):
    """Take the records for a reader; `format` is base64 (None), binary or json."""

    command = "trace read"
    route = "/api/v1/trace/{}/read"

    format: str | None = None


class StopTrace(ReadTrace):
    """Take the remaining records, and end the reader."""

    route = "/api/v1/trace/{}/stop"


@dataclass(frozen=True, slots=True)
class TraceStarted:
    """The answer to `StartTrace`."""

    reader: int
    time_ns: int
    mhz: int
    form: str = "xentrace 3.0"  # of the records in base64 and binary; or xentrace 4


@dataclass(frozen=True, slots=True)
class TraceTaken:
    """The answer to `ReadTrace` and `StopTrace`: records as xentrace writes them, in base64."""

    time_ns: int
    mhz: int
    count: int
    records: str


@dataclass(frozen=True, slots=True)
class TraceRows:
    """The same where `format` is json: (time_ns, pcpu, event, data) of each record."""

    time_ns: int
    mhz: int
    count: int
    records: tuple[tuple[int, int, int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class TraceReader:
    """A reader that has begun: what it wants, and how many records wait for it."""

    reader: int
    event_mask: int
    pcpu_mask: int
    waiting: int


@dataclass(frozen=True, slots=True)
class TraceState:
    """The status of rings and readers. Tuples of numbers have one entry for each pcpu."""

    mhz: int
    ring_pages: int
    event_mask: int
    pcpu_mask: int
    poll_ns: int
    threshold: int
    emitted: tuple[int, ...]
    read: tuple[int, ...]
    lost: tuple[int, ...]
    held: tuple[int, ...]
    readers: tuple[TraceReader, ...]
