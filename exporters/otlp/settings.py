"""Reads the settings of the export: options of the command line, then OTEL_ variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from exporters.otlp.environment import Environment
from exporters.otlp.targets import PREFIX, Target, target_of, target_of_profiles
from exporters.otlp.variables import SIGNALS
from xenprof.service.exporter import ExporterSettings
from xenprof.service.journal import MOST_PROFILES

DEFAULT_INTERVAL_SECONDS = 15.0
_MILLISECONDS = 1000.0
_DAY = 86_400_000  # milliseconds; what is longer is a mistake; judgement
_MOST_ITEMS = 10**9  # more do not fit into memory
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
    targets: dict[str, Target | None] = {}
    if not environment.is_true("OTEL_SDK_DISABLED"):
        for signal in SIGNALS:
            name = f"OTEL_{signal.upper()}_EXPORTER"
            if environment.choice([name], ("otlp", "none"), "otlp") == "none":
                continue
            targets[signal] = target_of(signal, environment, given, warn)
        targets["profiles"] = target_of_profiles(environment, given, warn)
    found = {signal: target for signal, target in targets.items() if target is not None}
    if not found:
        return OtlpSettings({}, {}, Shape())
    return OtlpSettings(
        found,
        {
            "metrics": _metrics_schedule(environment, given),
            "logs": _schedule(environment, "OTEL_BLRP", 1000),
            "traces": _schedule(environment, "OTEL_BSP", 5000),
            "profiles": Schedule(1.0, 30.0, MOST_PROFILES, 1),
        },
        _shape(environment, warn),
    )


def _metrics_schedule(environment: Environment, given: ExporterSettings) -> Schedule:
    default = DEFAULT_INTERVAL_SECONDS * _MILLISECONDS
    interval = environment.number(["OTEL_METRIC_EXPORT_INTERVAL"], default, least=100, most=_DAY)
    timeout = environment.number(["OTEL_METRIC_EXPORT_TIMEOUT"], 30_000, least=1, most=_DAY)
    return Schedule(
        period_seconds=given.otlp_interval_seconds or interval / _MILLISECONDS,
        timeout_seconds=timeout / _MILLISECONDS,
        most_waiting=0,  # a newer snapshot says more than an older one
        most_in_request=0,
    )


def _schedule(environment: Environment, prefix: str, delay: int) -> Schedule:
    def number(name: str, default: float, most: float) -> float:
        return environment.number([f"{prefix}_{name}"], default, least=1, most=most)

    most_waiting = int(number("MAX_QUEUE_SIZE", 2048, _MOST_ITEMS))
    return Schedule(
        period_seconds=number("SCHEDULE_DELAY", delay, _DAY) / _MILLISECONDS,
        timeout_seconds=number("EXPORT_TIMEOUT", 30_000, _DAY) / _MILLISECONDS,
        most_waiting=most_waiting,
        most_in_request=min(int(number("MAX_EXPORT_BATCH_SIZE", 512, _MOST_ITEMS)), most_waiting),
    )


def _shape(environment: Environment, warn: Callable[[str], None]) -> Shape:
    aggregation = environment.choice(
        [f"{PREFIX}METRICS_DEFAULT_HISTOGRAM_AGGREGATION"], (_EXPLICIT, _EXPONENTIAL), _EXPLICIT
    )
    if aggregation == _EXPONENTIAL:
        warn(_EXPONENTIAL_TOLD)
    temporality = environment.choice(
        [f"{PREFIX}METRICS_TEMPORALITY_PREFERENCE"], _TEMPORALITIES, _TEMPORALITIES[0]
    )
    return Shape(
        temporality,
        is_exponential=aggregation == _EXPONENTIAL,
        exemplars=environment.choice(
            ["OTEL_METRICS_EXEMPLAR_FILTER"], _EXEMPLAR_FILTERS, "trace_based"
        ),
    )
