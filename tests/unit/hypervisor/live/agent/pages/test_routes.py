import gzip
import json
from html.parser import HTMLParser

import pytest

from hypervisor.live.agent.pages.routes import Pages
from hypervisor.live.agent.polling.readings import NotRead
from hypervisor.live.agent.web.httphead import Request
from tests.support.live.agent_parts import bare_report, reading


class Remembered:
    """Readings as a test sets them."""

    def __init__(self):
        self.now = reading()

    def latest(self):
        if self.now is None:
            raise NotRead("the reason")
        return self.now

    def fresh(self):
        if not self.latest().is_fresh:
            raise NotRead("the reason")
        return self.now


@pytest.fixture
def readings():
    return Remembered()


@pytest.fixture
def pages(readings):
    return Pages(readings, "/metrics", "1.0")


def get(path, method="GET", **headers):
    return Request(method, path, {"accept-encoding": headers.get("accept", "")}, True)


def test_the_metrics_are_in_the_text_format_of_prometheus(pages):
    answer = pages.answer(get("/metrics"))

    assert (200, "text/plain; version=0.0.4; charset=utf-8") == (answer.status, answer.content_type)
    assert b'\nxenprof_build_info{engine="agent",host="xen1",python="' in answer.body
    assert b'version="1.0"} 1\n' in answer.body


def test_the_metrics_are_where_they_are_wanted(readings):
    pages = Pages(readings, "/xen", "1.0")

    assert [200, 404] == [pages.answer(get(path)).status for path in ("/xen", "/metrics")]


def test_the_report_is_json_with_the_names_of_its_fields(pages):
    answer = pages.answer(get("/api/v1/report"))

    assert "application/json" == answer.content_type
    assert {"format": 1, "host": "xen1"}.items() <= json.loads(answer.body).items()


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/report"])
def test_who_wants_it_compressed_gets_the_same(pages, path):
    plain, packed = pages.answer(get(path)), pages.answer(get(path, accept="gzip"))

    assert ("Content-Encoding", "gzip") in packed.headers
    assert plain.body == gzip.decompress(packed.body)


@pytest.mark.parametrize("accept", ["", "gzip"])
def test_a_reading_is_rendered_once_however_many_ask(pages, accept):
    bodies = [pages.answer(get("/metrics", accept=accept)).body for _ in range(3)]

    assert 1 == len({id(body) for body in bodies})


def test_another_reading_is_another_page(pages, readings):
    before = pages.answer(get("/metrics")).body
    readings.now = reading(bare_report(mhz=1000))

    assert before != pages.answer(get("/metrics")).body


def test_a_report_that_is_old_is_said_to_be(pages, readings):
    readings.now = reading(is_fresh=False)

    assert b'\nxenprof_up{host="xen1"} 0\n' in pages.answer(get("/metrics")).body


@pytest.mark.parametrize("path", ["/api/v1/report", "/-/ready"])
def test_a_report_that_is_old_is_not_given_as_one(pages, readings, path):
    readings.now = reading(is_fresh=False)

    assert 503 == pages.answer(get(path)).status


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/report", "/-/ready"])
def test_without_a_report_strangers_are_not_told_why(pages, readings, path):
    readings.now = None
    answer = pages.answer(get(path))

    assert (503, b"Service Unavailable\n") == (answer.status, answer.body)


def test_it_is_healthy_without_a_report(pages, readings):
    readings.now = None

    assert 200 == pages.answer(get("/-/healthy")).status


def test_it_is_ready_with_a_report(pages):
    assert 200 == pages.answer(get("/-/ready")).status


def test_the_first_page_links_to_the_others(pages):
    links: list[str | None] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            links.extend(value for name, value in attrs if name == "href")

    answer = pages.answer(get("/"))
    Parser().feed(answer.body.decode())

    assert [200, 200] == [pages.answer(get(link)).status for link in links]
    assert ("Content-Security-Policy", "default-src 'none'") in answer.headers


def test_what_changes_something_is_refused(pages):
    answer = pages.answer(get("/metrics", "POST"))

    assert (405, (("Allow", "GET, HEAD"),)) == (answer.status, answer.headers)


@pytest.mark.parametrize("path", ["/metrics/", "//metrics", "/../etc/passwd", "*", ""])
def test_there_is_nothing_else(pages, path):
    assert 404 == pages.answer(get(path)).status


def test_the_name_of_the_host_cannot_break_a_line(pages, readings):
    readings.now = reading(bare_report(host='x"\ny'))

    assert rb'{host="x\"\\ny"}' in pages.answer(get("/metrics")).body
