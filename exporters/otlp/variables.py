"""Lists every OTEL_ variable that OpenTelemetry's SDK for Python knows, and what is made of it.

docs/opentelemetry.md has the same table; a test compares the two, and the SDK's list with this one.
"""

from typing import NamedTuple

SIGNALS = ("metrics", "logs", "traces")
PER_SIGNAL = "<SIGNAL>"
"""In a name: METRICS_, LOGS_, TRACES_ or nothing; a variable for one signal goes before."""


class Variable(NamedTuple):
    """A variable, or those of one kind for all signals and each, and what it does."""

    name: str
    effect: str
    is_honoured: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the variables."""
        if PER_SIGNAL not in self.name:
            return (self.name,)
        parts = ("", *(f"{signal.upper()}_" for signal in SIGNALS))
        return tuple(self.name.replace(PER_SIGNAL, part) for part in parts)


_SENDS = (
    Variable("OTEL_SDK_DISABLED", "`true`: nothing is sent, whatever else is set."),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>ENDPOINT",
        "Where to; any of them starts the export. For all signals it is a base URL, to which HTTP "
        "adds `/v1/metrics` and so on; for one signal it is the whole URL. `--otlp-endpoint` goes "
        "before.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>PROTOCOL",
        "`http/protobuf` (the default) or `grpc`. `http/json` is not spoken here.",
    ),
    Variable("OTEL_EXPORTER_OTLP_<SIGNAL>HEADERS", "`name=value,...`, sent with each request."),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>COMPRESSION", "`none` (the default), `gzip`, or `deflate`."
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>TIMEOUT",
        "Seconds for a request, as the SDK for Python takes it; the default is 10.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>CERTIFICATE",
        "A file of the authorities that a receiver's certificate is checked against.",
    ),
    Variable("OTEL_EXPORTER_OTLP_<SIGNAL>CLIENT_KEY", "The file of our key, for mutual TLS."),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>CLIENT_CERTIFICATE",
        "The file of our certificate, for mutual TLS.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_<SIGNAL>INSECURE",
        "`true`: gRPC without TLS. An endpoint that begins with `http:` or `https:` decides by "
        "itself; without either the default is TLS.",
    ),
    Variable(
        "OTEL_METRICS_EXPORTER",
        "`none`: metrics are not sent; `otlp`: they are, without an endpoint to this machine.",
    ),
    Variable(
        "OTEL_LOGS_EXPORTER",
        "`none`: logs are not sent; `otlp`: they are, without an endpoint to this machine.",
    ),
    Variable(
        "OTEL_TRACES_EXPORTER",
        "`none`: traces are not sent; `otlp`: they are, without an endpoint to this machine.",
    ),
)
_SHAPES = (
    Variable(
        "OTEL_METRIC_EXPORT_INTERVAL",
        "Milliseconds between pushes of metrics; the default is 15000. `--otlp-interval` goes "
        "before.",
    ),
    Variable("OTEL_METRIC_EXPORT_TIMEOUT", "Milliseconds for a push of metrics, 30000 by default."),
    Variable(
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "`cumulative` (the default); `delta`: counters and histograms since the last push that was "
        "taken; `lowmemory`: only histograms so.",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "`explicit_bucket_histogram` (the default) or `base2_exponential_bucket_histogram`. A host "
        "counts in fixed buckets, so each count goes to the exponential bucket that holds the "
        "upper bound; a warning says so.",
    ),
    Variable(
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "`trace_based` (the default): exemplars that have a trace; `always_on`: all; `always_off`.",
    ),
    Variable("OTEL_RESOURCE_ATTRIBUTES", "`name=value,...`, which go before our own."),
    Variable("OTEL_SERVICE_NAME", "`service.name`; it goes before OTEL_RESOURCE_ATTRIBUTES."),
    Variable("OTEL_BLRP_SCHEDULE_DELAY", "Milliseconds between pushes of logs, 1000 by default."),
    Variable("OTEL_BLRP_EXPORT_TIMEOUT", "Milliseconds for a push of logs, 30000 by default."),
    Variable("OTEL_BLRP_MAX_QUEUE_SIZE", "Records that may wait, 2048 by default."),
    Variable("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "Records in a request, 512 by default."),
    Variable("OTEL_BSP_SCHEDULE_DELAY", "Milliseconds between pushes of traces, 5000 by default."),
    Variable("OTEL_BSP_EXPORT_TIMEOUT", "Milliseconds for a push of traces, 30000 by default."),
    Variable("OTEL_BSP_MAX_QUEUE_SIZE", "Spans that may wait, 2048 by default."),
    Variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "Spans in a request, 512 by default."),
)


def _ignored(reason: str, *names: str) -> tuple[Variable, ...]:
    return tuple(Variable(name, reason, is_honoured=False) for name in names)


_IGNORED = (
    *_ignored(
        "Ignored: every operation and session is sent; there are few.",
        "OTEL_TRACES_SAMPLER",
        "OTEL_TRACES_SAMPLER_ARG",
    ),
    *_ignored(
        "Ignored: what is sent has few attributes and events, and texts of bounded length.",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_EVENT_COUNT_LIMIT",
        "OTEL_SPAN_LINK_COUNT_LIMIT",
    ),
    *_ignored(
        "Ignored: there is no exporter to Zipkin here.",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
        "OTEL_EXPORTER_ZIPKIN_TIMEOUT",
    ),
    *_ignored(
        "Ignored: `/metrics` is on the service's own port.",
        "OTEL_EXPORTER_PROMETHEUS_HOST",
        "OTEL_EXPORTER_PROMETHEUS_PORT",
    ),
    *_ignored(
        "Ignored: settings come from options and the other variables.",
        "OTEL_CONFIG_FILE",
        "OTEL_LOG_LEVEL",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
    ),
    *_ignored("Ignored: nothing here has a context to propagate.", "OTEL_PROPAGATORS"),
    *_ignored(
        "Ignored: the SDK's own parts are not used, only its encoders.",
        "OTEL_PYTHON_TRACER_CONFIGURATOR",
        "OTEL_PYTHON_METER_CONFIGURATOR",
        "OTEL_PYTHON_LOGGER_CONFIGURATOR",
        "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED",
        "OTEL_PYTHON_CONTEXT",
        "OTEL_PYTHON_ID_GENERATOR",
        "OTEL_PYTHON_TRACER_PROVIDER",
        "OTEL_PYTHON_METER_PROVIDER",
        "OTEL_PYTHON_LOGGER_PROVIDER",
        "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_LOGS_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_METRICS_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_TRACES_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_HTTP_LOGS_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_HTTP_METRICS_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
        "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES",
    ),
)
VARIABLES = (*_SENDS, *_SHAPES, *_IGNORED)
IGNORED = tuple(name for one in VARIABLES if not one.is_honoured for name in one.names)
"""The names of those that the export must not depend on."""
