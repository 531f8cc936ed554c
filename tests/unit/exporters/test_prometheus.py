import asyncio
import gzip
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.requests import Request
from starlette.responses import Response

from exporters.prometheus import create
from exporters.scrape.collector import SnapshotCollector
from exporters.scrape.negotiation import OPENMETRICS, TEXT
from exporters.scrape.renderer import Renderer
from tests.support.snapshots import NAMES, FixedSource, domain, grumble, stats, without
from xenprof.service.exporter import ExporterSettings

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
    "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.7,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def scrape(headers: dict[str, str]) -> Response:
    """Send a request to the route as a server does."""
    exporter = create(FixedSource(), ExporterSettings())
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": raw}
    answer = asyncio.run(exporter.routes[0].endpoint(Request(scope)))
    assert isinstance(answer, Response)
    return answer


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4;q=0.3,*/*;q=0.1", TEXT),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", OPENMETRICS),
        (
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
            TEXT,
        ),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text ; Version=1.0.0", OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', OPENMETRICS),
        ("application/openmetrics-text; version=0.0.1", OPENMETRICS.replace("1.0.0", "0.0.1")),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;version=x", TEXT),
        (
            "application/openmetrics-text;version=2.0.0, application/openmetrics-text;q=0.1",
            OPENMETRICS,
        ),
        ("text/plain;version=x", TEXT),
        ('text/plain;version="0.0.4"', TEXT),
        ("text/plain, application/openmetrics-text", TEXT),
        ("text/plain;q=0, application/openmetrics-text;q=0.1", OPENMETRICS),
        ("text/plain;q=0", TEXT),
        ("*/*, application/openmetrics-text", OPENMETRICS),
        ("application/*;q=0.9, text/plain;q=0.5", OPENMETRICS),
        ("application/*, application/openmetrics-text;q=0", TEXT),
        ("text/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("application/json", TEXT),
        ("application/openmetrics-text;q=x", OPENMETRICS),
        ("application/openmetrics-text;q=nan, text/plain;q=inf", OPENMETRICS),
        (',;,"', TEXT),
        ('text/plain;a="b,application/openmetrics-text', TEXT),
        (";q=1" * 1000, TEXT),
    ],
)
def test_the_format_is_what_was_asked_for(accept: str, expected: str):
    answer = scrape({"accept": accept})
    assert expected == answer.headers["content-type"]


@pytest.mark.parametrize(
    ("accept", "is_zipped"),
    [
        ("gzip", True),
        ("GZIP, deflate, br", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("gzip; q=0.5, identity; q=1", False),
        ("gzip; q=0.5, identity; q=0.5", True),
        ("identity;q=0, *", True),
        ("*", False),
        ("br;q=1, gzip;q=0.001", True),
        ("x-nothing", False),
        ("", False),
    ],
)
def test_encodings_are_weighed(accept: str, is_zipped: bool):
    assert is_zipped == ("content-encoding" in scrape({"accept-encoding": accept}).headers)


def test_openmetrics_over_http_ends_with_eof():
    answer = scrape({"accept": "application/openmetrics-text;version=1.0.0"})
    assert bytes(answer.body).endswith(b"\n# EOF\n")


def test_gzip_is_used_when_accepted():
    answer = scrape({"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert rendered(FixedSource(), openmetrics=False) == gzip.decompress(answer.body).decode()


def test_gzip_is_not_used_when_not_accepted():
    answer = scrape({"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers


def test_the_path_is_the_users():
    exporter = create(FixedSource(), ExporterSettings(telemetry_path="/xen"))
    assert [route.path for route in exporter.routes] == ["/xen"]
