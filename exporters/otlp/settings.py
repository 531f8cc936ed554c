"""Reads the settings of the export: options of the command line, then OTEL_ variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from exporters.otlp.environment import Environment
from exporters.otlp.variables import SIGNALS
from xenprof.service.exporter import ExporterSettings, OtlpProtocol

DEFAULT_INTERVAL_SECONDS = 15.0
DEFAULT_TIMEOUT_SECONDS = 10.0
LONGEST_SENSIBLE_TIMEOUT_SECONDS = 600.0  # more is probably meant in milliseconds; judgement
_PREFIX = "OTEL_EXPORTER_OTLP_"
_PROTOCOLS: tuple[OtlpProtocol, ...] = ("http/protobuf", "grpc")
_DEFAULT_URLS = {"http/protobuf": "http://localhost:4318", "grpc": "http://localhost:4317"}
"""Where a signal is sent for which OTEL_..._EXPORTER=otlp is all that is set."""
_MILLISECONDS = 1000.0
_EXEMPLAR_FILTERS = ("always_on", "always_off", "trace_based")
_EXPLICIT, _EXPONENTIAL = "explicit_bucket_histogram", "base2_exponential_bucket_histogram"
_EXPONENTIAL_TOLD = (
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: durations are counted in fixed "
    "buckets, so that an exponential histogram is only as fine as these, and has no smallest and "
    "largest value"
)

Temporality = Literal["cumulative", "delta", "lowmemory"]
_TEMPORALITIES: tuple[Temporality, ...] = ("cumulative", "delta", "lowmemory")


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how the requests of one signal are sent."""

    url: str  # gRPC: scheme and address; HTTP: all of it
    protocol: OtlpProtocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    compression: str = "none"  # none | gzip | deflate
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    certificate: Path | None = None
    client_key: Path | None = None
    client_certificate: Path | None = None
    is_secure: bool = False

    @property
    def shown_url(self) -> str:
        """Return the URL without user and password."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a signal is sent, and how much of it may wait and go into a request."""

    period_seconds: float
    timeout_seconds: float
    most_waiting: int
    most_in_request: int


@dataclass(frozen=True, slots=True)
class Shape:
    """How metrics are sent."""

    temporality: Temporality = "cumulative"
    is_exponential: bool = False
    exemplars: str = "trace_based"  # or always_on, always_off


@dataclass(frozen=True, slots=True)
class OtlpSettings:
    """The settings of the export; `targets` has the signals that are sent."""

    targets: Mapping[str, Target]
    schedules: Mapping[str, Schedule]
    shape: Shape


def read(
    variables: Mapping[str, str], given: ExporterSettings, warn: Callable[[str], None]
) -> OtlpSettings:
    """Return the settings; `warn` gets a line for each value that cannot be used."""
    environment = Environment(variables, warn)
    targets: dict[str, Target] = {}
    if not environment.is_true("OTEL_SDK_DISABLED"):
        for signal in SIGNALS:
            name = f"OTEL_{signal.upper()}_EXPORTER"
            if environment.choice([name], ("otlp", "none"), "otlp") == "none":
                continue
            target = _target(signal, environment, given, warn)
            if target is not None:
                targets[signal] = target
    if not targets:
        return OtlpSettings({}, {}, Shape())
    return OtlpSettings(
        targets,
        {
            "metrics": _metrics_schedule(environment, given),
            "logs": _schedule(environment, "OTEL_BLRP", 1000),
            "traces": _schedule(environment, "OTEL_BSP", 5000),
        },
        _shape(environment, warn),
    )


def _target(
    signal: str, environment: Environment, given: ExporterSettings, warn: Callable[[str], None]
) -> Target | None:
    """Return the target of a signal; None if it is not wanted, or if its endpoint is no URL."""

    def names(kind: str) -> tuple[str, str]:
        return f"{_PREFIX}{signal.upper()}_{kind}", f"{_PREFIX}{kind}"

    protocol = given.otlp_protocol or environment.choice(
        names("PROTOCOL"), _PROTOCOLS, _PROTOCOLS[0]
    )
    own, common = names("ENDPOINT")
    base = given.otlp_endpoint or (None if environment.text(own) else environment.text(common))
    if base is None and environment.text(own, f"OTEL_{signal.upper()}_EXPORTER") == "otlp":
        base = _DEFAULT_URLS[protocol]
    endpoint = base or environment.text(own)
    if endpoint is None:
        return None
    problem = _problem_of_url(endpoint, protocol)
    if problem:
        warn(f"OTLP endpoint {endpoint!r} {problem}; {signal} are not sent")
        return None
    timeout = environment.number(names("TIMEOUT"), DEFAULT_TIMEOUT_SECONDS, least=0.001)
    if timeout > LONGEST_SENSIBLE_TIMEOUT_SECONDS:
        environment.refuse(names("TIMEOUT"), "is in seconds", f"{DEFAULT_TIMEOUT_SECONDS:g}")
        timeout = DEFAULT_TIMEOUT_SECONDS
    scheme = urlsplit(endpoint).scheme
    return Target(
        url=_whole_url(base, signal) if base and protocol != "grpc" else endpoint,
        protocol=protocol,
        headers=environment.pairs(*names("HEADERS")),
        compression=environment.choice(names("COMPRESSION"), ("none", "gzip", "deflate"), "none"),
        timeout_seconds=timeout,
        certificate=environment.file(*names("CERTIFICATE")),
        client_key=environment.file(*names("CLIENT_KEY")),
        client_certificate=environment.file(*names("CLIENT_CERTIFICATE")),
        is_secure=scheme == "https"
        or (scheme != "http" and not environment.is_true(*names("INSECURE"))),
    )


def _whole_url(base: str, signal: str) -> str:
    """Return the URL of a signal below a base URL, which may be that of the metrics already."""
    for known in SIGNALS:
        base = base.removesuffix(f"/v1/{known}")
    return f"{base.rstrip('/')}/v1/{signal}"


def _problem_of_url(endpoint: str, protocol: OtlpProtocol) -> str | None:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if parts.scheme in ("http", "https"):
        return None if parts.hostname else "names no host"
    if protocol == "grpc" and not any(char.isspace() or char == "/" for char in endpoint):
        return None  # HOST:PORT
    return "does not begin with http:// or https://"


def _metrics_schedule(environment: Environment, given: ExporterSettings) -> Schedule:
    default = DEFAULT_INTERVAL_SECONDS * _MILLISECONDS
    interval = environment.number(["OTEL_METRIC_EXPORT_INTERVAL"], default, least=100)
    timeout = environment.number(["OTEL_METRIC_EXPORT_TIMEOUT"], 30_000, least=1)
    return Schedule(
        period_seconds=given.otlp_interval_seconds or interval / _MILLISECONDS,
        timeout_seconds=timeout / _MILLISECONDS,
        most_waiting=0,  # a newer snapshot says more than an older one
        most_in_request=0,
    )


def _schedule(environment: Environment, prefix: str, delay: int) -> Schedule:
    def number(name: str, default: float) -> float:
        return environment.number([f"{prefix}_{name}"], default, least=1)

    most_waiting = int(number("MAX_QUEUE_SIZE", 2048))
    return Schedule(
        period_seconds=number("SCHEDULE_DELAY", delay) / _MILLISECONDS,
        timeout_seconds=number("EXPORT_TIMEOUT", 30_000) / _MILLISECONDS,
        most_waiting=most_waiting,
        most_in_request=min(int(number("MAX_EXPORT_BATCH_SIZE", 512)), most_waiting),
    )


def _shape(environment: Environment, warn: Callable[[str], None]) -> Shape:
    aggregation = environment.choice(
        [f"{_PREFIX}METRICS_DEFAULT_HISTOGRAM_AGGREGATION"], (_EXPLICIT, _EXPONENTIAL), _EXPLICIT
    )
    if aggregation == _EXPONENTIAL:
        warn(_EXPONENTIAL_TOLD)
    temporality = environment.choice(
        [f"{_PREFIX}METRICS_TEMPORALITY_PREFERENCE"], _TEMPORALITIES, _TEMPORALITIES[0]
    )
    return Shape(
        temporality,
        is_exponential=aggregation == _EXPONENTIAL,
        exemplars=environment.choice(
            ["OTEL_METRICS_EXEMPLAR_FILTER"], _EXEMPLAR_FILTERS, "trace_based"
        ),
    )
