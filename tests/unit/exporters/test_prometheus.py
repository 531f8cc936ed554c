import asyncio
import gzip
import threading

import pytest
from starlette.requests import Request
from starlette.responses import Response

from exporters.prometheus import create
from exporters.scrape.negotiation import OPENMETRICS, TEXT
from hypervisor.telemetry import HostSnapshot
from tests.support.snapshots import FixedSource
from xenprof.service.counts import Counted
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


def scrape(
    headers: dict[str, str] | None = None,
    query: bytes = b"",
    source: FixedSource | None = None,
) -> Response:
    """Send a request to the route as a server does."""
    exporter = create(source or FixedSource(), ExporterSettings())
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http", "method": "GET", "path": "/metrics", "headers": raw, "query_string": query,
    }  # fmt: skip
    answer = asyncio.run(exporter.routes[0].endpoint(Request(scope)))
    exporter.close()
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
    assert gzip.decompress(answer.body).startswith(b"# HELP xen_host_up ")


def test_gzip_is_not_used_when_not_accepted():
    answer = scrape({"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers


def test_the_path_is_the_users():
    exporter = create(FixedSource(), ExporterSettings(telemetry_path="/xen"))
    assert [route.path for route in exporter.routes] == ["/xen"]


def test_a_query_chooses_metrics():
    body = bytes(scrape(query=b"name[]=xenprof_up").body)
    assert b'xenprof_up{host="grumble"} 1\n' in body
    assert b"xen_domain" not in body


def test_a_query_that_is_not_known_is_refused_in_one_line():
    answer = scrape(query=b"x=1")
    assert (answer.status_code, bytes(answer.body)) == (
        400,
        b"no parameter 'x'; there are collect[], name[], domain[], created\n",
    )


def test_scrapes_and_their_bytes_are_counted():
    source = FixedSource()
    sizes = [len(scrape({"accept-encoding": "gzip"}, source=source).body) for _ in range(2)]
    counted = source.counts.figures()
    assert counted[Counted.SCRAPES] == {("text",): 2, ("openmetrics",): 0}
    assert counted[Counted.SCRAPE_BYTES] == {("gzip",): sum(sizes), ("identity",): 0}


time_is_up = threading.Event()


class SlowSource(FixedSource):
    """A source that the thread which renders gets nothing from for ever."""

    def snapshot(self) -> HostSnapshot:
        if threading.current_thread().name.startswith("scrape"):
            time_is_up.wait(10)
        return self.host


def test_an_answer_that_would_come_too_late_is_503_in_one_line_and_counted():
    source = SlowSource()
    answer = scrape({"X-Prometheus-Scrape-Timeout-Seconds": "0.01"}, source=source)
    time_is_up.set()
    assert (answer.status_code, bytes(answer.body)) == (
        503,
        b"no scrape within 0.01 s, the scraper's own limit\n",
    )
    assert source.counts.figures()[Counted.SCRAPE_TIMEOUTS] == {(): 1}


@pytest.mark.parametrize("limit", ["", "x", "-1", "0", "nan", "inf", "1e400", "30"])
def test_a_limit_that_says_nothing_is_none(limit: str):
    assert scrape({"X-Prometheus-Scrape-Timeout-Seconds": limit}).status_code == 200
