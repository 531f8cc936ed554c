"""Variables and options become settings; a bad value is a line, and left out."""

from dataclasses import replace

import pytest

from exporters.otlp.settings import OtlpSettings, Shape, read
from xenprof.service.exporter import ExporterSettings

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
HERE = "http://collector:4318"


def settings(given: ExporterSettings | None = None, /, **variables: str) -> OtlpSettings:
    """Return the settings; there must be nothing to warn of."""
    warnings: list[str] = []
    found = read(variables, given or ExporterSettings(), warnings.append)
    assert warnings == []
    return found


def warned(**variables: str) -> tuple[OtlpSettings, list[str]]:
    warnings: list[str] = []
    return read({BASE: HERE, **variables}, ExporterSettings(), warnings.append), warnings


def test_without_an_endpoint_nothing_is_sent():
    assert settings() == OtlpSettings({}, {}, Shape())


def test_the_base_endpoint_alone_starts_all_signals():
    assert {signal: target.url for signal, target in settings(**{BASE: HERE}).targets.items()} == {
        "metrics": f"{HERE}/v1/metrics",
        "logs": f"{HERE}/v1/logs",
        "traces": f"{HERE}/v1/traces",
    }


@pytest.mark.parametrize("base", [f"{HERE}/", f"{HERE}/v1/metrics"])
def test_a_base_may_end_with_a_slash_or_with_the_path_of_a_signal(base):
    assert settings(**{BASE: base}).targets["logs"].url == f"{HERE}/v1/logs"


def test_a_base_may_have_a_path():
    url = settings(**{BASE: f"{HERE}/otlp"}).targets["logs"].url
    assert url == f"{HERE}/otlp/v1/logs"


def test_the_endpoint_of_one_signal_is_the_whole_url_and_starts_only_it():
    targets = settings(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://logs/in").targets
    assert {signal: target.url for signal, target in targets.items()} == {"logs": "http://logs/in"}


def test_the_option_goes_before_all_variables():
    targets = settings(
        ExporterSettings(otlp_endpoint=HERE),
        OTEL_EXPORTER_OTLP_ENDPOINT="http://base",
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://logs",
    ).targets
    assert {target.url for target in targets.values()} == {
        f"{HERE}/v1/{signal}" for signal in ("metrics", "logs", "traces")
    }


def test_grpc_takes_the_endpoint_as_it_is():
    targets = settings(**{BASE: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}).targets
    assert {(target.url, target.protocol) for target in targets.values()} == {
        ("http://c:4317", "grpc")
    }


def test_signals_may_have_protocols_of_their_own():
    targets = settings(**{BASE: HERE, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}).targets
    assert {signal: target.protocol for signal, target in targets.items()} == {
        "metrics": "http/protobuf",
        "logs": "http/protobuf",
        "traces": "grpc",
    }


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, set()),
        ({"OTEL_SDK_DISABLED": "TRUE"}, set()),
        ({"OTEL_SDK_DISABLED": "false"}, {"metrics", "logs", "traces"}),
        ({"OTEL_METRICS_EXPORTER": "none"}, {"logs", "traces"}),
        ({"OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}, {"metrics"}),
        ({"OTEL_SDK_DISABLED": ""}, {"metrics", "logs", "traces"}),
    ],
)
def test_signals_can_be_switched_off(variables, sent):
    assert set(settings(**{BASE: HERE, **variables}).targets) == sent


@pytest.mark.parametrize(
    ("protocol", "url"),
    [("http/protobuf", "http://localhost:4318/v1/traces"), ("grpc", "http://localhost:4317")],
)
def test_a_signal_that_is_asked_for_goes_to_this_machine(protocol, url):
    found = settings(OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_PROTOCOL=protocol).targets
    assert {signal: target.url for signal, target in found.items()} == {"traces": url}


@pytest.mark.parametrize(
    ("endpoint", "insecure", "is_secure"),
    [
        ("http://c:4317", "", False),
        ("https://c:4317", "", True),
        ("https://c:4317", "true", True),
        ("c:4317", "", True),
        ("c:4317", "true", False),
    ],
)
def test_the_scheme_says_whether_grpc_has_tls_and_insecure_where_there_is_none(
    endpoint, insecure, is_secure
):
    found = settings(
        **{
            BASE: endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_INSECURE": insecure,
        }
    )
    assert found.targets["metrics"].is_secure == is_secure


def test_a_variable_of_a_signal_goes_before_that_of_all(tmp_path):
    file = tmp_path / "ca.pem"
    file.touch()
    own = {
        "HEADERS": "a=1",
        "COMPRESSION": "gzip",
        "TIMEOUT": "3",
        "CERTIFICATE": str(file),
        "CLIENT_KEY": str(file),
        "CLIENT_CERTIFICATE": str(file),
    }
    common = {"HEADERS": "b=2", "COMPRESSION": "deflate", "TIMEOUT": "4"}
    variables = {f"OTEL_EXPORTER_OTLP_LOGS_{name}": value for name, value in own.items()}
    variables |= {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in common.items()}
    targets = settings(**{BASE: HERE, **variables}).targets
    expected = replace(
        targets["metrics"],
        url=f"{HERE}/v1/logs",
        headers={"a": "1"},
        compression="gzip",
        timeout_seconds=3,
        certificate=file,
        client_key=file,
        client_certificate=file,
    )
    assert (targets["logs"], targets["metrics"].compression) == (expected, "deflate")


def test_headers_are_percent_encoded():
    found = settings(
        **{BASE: HERE, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20a%3D,x=y=z"}
    )
    assert found.targets["logs"].headers == {"authorization": "Basic a=", "x": "y=z"}


def test_spaces_around_a_header_that_are_encoded_are_left_out():
    found = settings(**{BASE: HERE, "OTEL_EXPORTER_OTLP_HEADERS": "a%20=%20Bearer%20token%20"})
    assert found.targets["logs"].headers == {"a": "Bearer token"}


@pytest.mark.parametrize(
    ("protocol", "name", "is_taken"),
    [
        ("grpc", "x y", False),
        ("grpc", "x!y", False),
        ("grpc", "x%0ay", False),
        ("grpc", "x-bin", False),
        ("grpc", "X_y.z-1", True),
        ("http/protobuf", "x y", False),
        ("http/protobuf", "x:y", False),
        ("http/protobuf", "x%0ay", False),
        ("http/protobuf", "\u00e4", False),
        ("http/protobuf", "content-length", False),
        ("http/protobuf", "x!y", True),
        ("http/protobuf", "x-bin", True),
    ],
)
def test_a_name_that_no_header_can_have_is_left_out_with_one_line(protocol, name, is_taken):
    found, warnings = warned(
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol, OTEL_EXPORTER_OTLP_HEADERS=f"{name}=1"
    )
    assert (len(found.targets["logs"].headers), len(warnings)) == (is_taken, not is_taken)


def test_the_path_of_a_signal_goes_before_the_query_of_a_base():
    found = settings(**{BASE: f"{HERE}/x?token=secret"})
    assert found.targets["logs"].url == f"{HERE}/x/v1/logs?token=secret"


@pytest.mark.parametrize(
    "endpoint",
    ["collector?token=secret", "http://u:secret@c:port", "http://u:se/secret@c", "//u:secret@c"],
)
def test_the_warning_of_an_endpoint_has_no_secret(endpoint):
    assert "se" not in " ".join(warned(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=endpoint)[1]).replace(
        "sent", ""
    )


def test_headers_are_not_in_what_is_printed_of_settings():
    found = settings(**{BASE: HERE, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret"})
    assert "secret" not in repr(found)


def test_the_url_in_the_log_has_neither_password_nor_query():
    found = settings(**{BASE: "https://me:secret@c/otlp?token=secret"})
    assert found.targets["logs"].shown_url == "https://c/otlp/v1/logs"


@pytest.mark.parametrize(
    ("given", "variables", "seconds"),
    [
        (None, {}, 15.0),
        (None, {"OTEL_METRIC_EXPORT_INTERVAL": "60000"}, 60.0),
        (2.0, {"OTEL_METRIC_EXPORT_INTERVAL": "60000"}, 2.0),
    ],
)
def test_the_interval_is_the_option_then_the_variable(given, variables, seconds):
    found = settings(ExporterSettings(otlp_interval_seconds=given), **{BASE: HERE, **variables})
    assert found.schedules["metrics"].period_seconds == seconds


def test_logs_and_traces_have_the_sizes_and_delays_of_their_processors():
    found = settings(
        **{
            BASE: HERE,
            "OTEL_BLRP_SCHEDULE_DELAY": "250",
            "OTEL_BLRP_EXPORT_TIMEOUT": "4000",
            "OTEL_BLRP_MAX_QUEUE_SIZE": "100",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "7",
        }
    ).schedules
    logs, traces = found["logs"], found["traces"]
    assert (
        (logs.period_seconds, logs.timeout_seconds, logs.most_waiting, logs.most_in_request),
        (
            traces.period_seconds,
            traces.timeout_seconds,
            traces.most_waiting,
            traces.most_in_request,
        ),
    ) == ((0.25, 4.0, 100, 100), (5.0, 30.0, 2048, 7))


@pytest.mark.parametrize(
    ("url", "protocol", "expected"),
    [
        ("http://c:4318", None, "http://c:4318/v1development/profiles"),
        ("http://c:4318/", None, "http://c:4318/v1development/profiles"),
        ("http://c:4318/v1/profiles", None, "http://c:4318/v1/profiles"),
        ("http://c:4317", "grpc", "http://c:4317"),
    ],
)
def test_profiles_go_where_their_option_says_and_nothing_else(url, protocol, expected):
    found = settings(ExporterSettings(otlp_profiles=url, otlp_protocol=protocol)).targets
    assert {signal: target.url for signal, target in found.items()} == {"profiles": expected}


def test_profiles_are_not_sent_to_the_endpoint_of_all_signals():
    assert "profiles" not in settings(**{BASE: HERE}).targets


@pytest.mark.parametrize("temporality", ["cumulative", "delta", "lowmemory"])
def test_the_temporality_is_that_of_the_variable(temporality):
    name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
    assert settings(**{BASE: HERE, name: temporality.upper()}).shape.temporality == temporality


def test_exponential_histograms_are_made_with_a_warning_of_what_they_lack():
    found, warnings = warned(
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION="base2_exponential_bucket_histogram"
    )
    assert (found.shape.is_exponential, len(warnings)) == (True, 1)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "OTEL_EXPORTER_OTLP_PROTOCOL='http/json' is not one of http/protobuf, grpc; "
            "used instead: http/protobuf",
        ),
        (
            "OTEL_METRIC_EXPORT_INTERVAL",
            "1m",
            "OTEL_METRIC_EXPORT_INTERVAL='1m' is not a number of at least 100; used instead: 15000",
        ),
        (
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "nan",
            "OTEL_BSP_MAX_QUEUE_SIZE='nan' is not a number of at least 1; used instead: 2048",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
            "10000",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT='10000' is in seconds; used instead: 10",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "/nowhere/ca.pem",
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE='/nowhere/ca.pem' cannot be read "
            "(No such file or directory); used instead: none",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
            "secret",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS: an entry is not like name=value; it is left out",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
            "a=b%0d%0ac",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS: the value of a is no text of a header; left out",
        ),
        (
            "OTEL_SDK_DISABLED",
            "yes",
            "OTEL_SDK_DISABLED='yes' is not one of true, false; used instead: false",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "collector",
            "OTLP endpoint 'collector' does not begin with http:// or https://; logs are not sent",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "http://c:port",
            "OTLP endpoint 'http://c:port' is not a URL (Port could not be cast to integer value "
            "as 'port'); logs are not sent",
        ),
    ],
)
def test_a_bad_value_is_one_line(name, value, line):
    assert warned(**{name: value})[1] == [line]


def test_a_bad_value_for_all_signals_is_told_once():
    assert len(warned(OTEL_EXPORTER_OTLP_COMPRESSION="brotli")[1]) == 1


@pytest.mark.parametrize(
    ("name", "most", "default"),
    [
        ("OTEL_METRIC_EXPORT_INTERVAL", 86_400_000, "15000"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", 86_400_000, "30000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", 86_400_000, "1000"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", 86_400_000, "30000"),
        ("OTEL_BSP_SCHEDULE_DELAY", 86_400_000, "5000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", 86_400_000, "30000"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", 1_000_000_000, "2048"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1_000_000_000, "512"),
    ],
)
@pytest.mark.parametrize("value", ["1e300", "1e20", "inf"])
def test_a_number_that_is_too_large_is_one_line(name: str, most: int, default: str, value: str):
    _, warnings = warned(**{name: value})
    line = f"{name}='{value}' is not a number of at most {most}; used instead: {default}"
    assert warnings == [line]


def test_an_interval_of_a_day_is_taken():
    found = settings(**{BASE: HERE, "OTEL_METRIC_EXPORT_INTERVAL": "86400000"})
    assert found.schedules["metrics"].period_seconds == 86_400
