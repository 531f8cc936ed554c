"""A real service that only a variable tells where to send: all signals arrive, and are counted."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.peers import until
from tests.support.otlp_messages import attributes, records_of, spans_of
from tests.support.otlp_receivers import Receiver, http_receiver


@dataclass
class Told:
    """What the receiver got of a service that has ended, and its metrics while it ran."""

    receiver: Receiver
    scraped: str

    def bodies(self, signal: str) -> list[bytes]:
        return [one.body for one in self.receiver.got if one.path == f"/v1/{signal}"]


def scrape(url: str) -> str:
    with urllib.request.urlopen(f"{url}metrics") as answer:
        return str(answer.read().decode())


def sent(scraped: str, signal: str) -> float:
    """Return what was sent of a signal, as the metrics tell."""
    (line,) = [
        line
        for line in scraped.splitlines()
        if line.startswith("xenprof_push_sent_total{") and f'signal="{signal}"' in line
    ]
    return float(line.rpartition(" ")[2])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with http_receiver() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        patch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli")
        patch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        patch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "100")
        host = Host(tmp_path_factory.mktemp("home"))
        try:
            host.run("xm pause DesktopVM")
            host.run("opcontrol --start --no-vmlinux")
            host.run("opcontrol --shutdown")
            assert until(lambda: sent(scrape(host.url), "traces") > 0)
            scraped = scrape(host.url)
        finally:
            host.close()
        log = (host.home / "serve.log").read_text(encoding="utf-8")
        yield Told(receiver, f"{scraped}\n{log}")


def test_metrics_arrive_again_and_again(told: Told):
    assert len(told.bodies("metrics")) > 1


def test_a_session_of_the_profiler_arrives_as_a_span(told: Told):
    spans = [span for body in told.bodies("traces") for span in spans_of(body)]
    (events,) = [attributes(span)["xen.profile.events"] for span in spans if span.name == "profile"]
    assert str(events).startswith("['GLOBAL_POWER_EVENTS:")


def test_xends_log_arrives(told: Told):
    texts = [
        record.body.string_value for body in told.bodies("logs") for record in records_of(body)
    ]
    assert [text for text in texts if "paused" in text] == ["Domain DesktopVM (1) paused."]


def test_what_the_service_says_at_its_end_arrives(told: Told):
    assert b"stopping: writing what the sessions hold" in told.bodies("logs")[-1]


@pytest.mark.parametrize("signal", ["metrics", "logs", "traces"])
def test_what_was_sent_is_counted(told: Told, signal: str):
    assert sent(told.scraped, signal) > 0


def test_a_bad_value_is_one_line_of_the_log(told: Told):
    lines = [line for line in told.scraped.splitlines() if "brotli" in line]
    assert [line.partition("WARNING ")[2] for line in lines] == [
        "exporters.otlp: OTEL_EXPORTER_OTLP_COMPRESSION='brotli' is not one of none, gzip, "
        "deflate; used instead: none"
    ]
