import gzip
import threading
from dataclasses import dataclass, replace
from queue import SimpleQueue

import pytest

from exporters.scrape.renderings import (
    MOST_WAITING,
    OLDEST_SECONDS,
    Form,
    Renderings,
    ScrapingStopped,
    TooManyScrapes,
)
from exporters.scrape.wanted import Wanted
from hypervisor.telemetry import HostSnapshot
from tests.support.snapshots import FixedSource, grumble

PLAIN = Form(openmetrics=False, zipped=False)
ZIPPED = Form(openmetrics=False, zipped=True)
A_PART = Form(openmetrics=False, zipped=False, wanted=Wanted(names=frozenset({"xenprof_up"})))


@dataclass
class HeldSource(FixedSource):
    """A source that lets the thread which renders wait, and counts how often it came."""

    def __post_init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.rendered = 0

    def snapshot(self) -> HostSnapshot:
        if threading.current_thread().name.startswith("scrape"):
            self.begun.set()
            assert self.go_on.wait(10)
            self.rendered += 1
        return self.host


def test_a_snapshot_is_rendered_once_for_two_scrapers():
    renderings = Renderings(FixedSource())
    first = renderings.body(ZIPPED).result()
    assert first is renderings.body(ZIPPED).result()


def test_those_who_come_while_it_is_rendered_wait_for_the_same():
    source = HeldSource()
    renderings = Renderings(source)
    futures = [renderings.body(ZIPPED) for _ in range(10)]
    source.go_on.set()
    bodies = {future.result(10) for future in futures}
    assert (len(bodies), source.rendered) == (1, 1)


def test_the_zipped_scrape_is_the_plain_one():
    renderings = Renderings(FixedSource(), clock=lambda: 0.0)
    plain, zipped = (renderings.body(form).result(10) for form in (PLAIN, ZIPPED))
    names = [
        [line.partition(b" ")[0] for line in body.splitlines()]
        for body in (plain, gzip.decompress(zipped))
    ]
    assert names[0] == names[1]


def test_a_new_generation_is_rendered_anew():
    source = FixedSource(grumble(1))
    renderings = Renderings(source)
    first = renderings.body(PLAIN).result()
    source.host = grumble(2)
    assert first != renderings.body(PLAIN).result()


def test_a_dead_model_shows_although_no_snapshot_comes():
    source = FixedSource()
    renderings = Renderings(source)
    renderings.body(ZIPPED).result()
    source.service = replace(source.service, up=False)
    scrape = gzip.decompress(renderings.body(ZIPPED).result())
    assert b'xenprof_up{host="grumble"} 0\n' in scrape


def test_the_services_own_figures_go_on_when_no_snapshot_comes():
    now = 0.0
    source = FixedSource()
    renderings = Renderings(source, clock=lambda: now)
    first = renderings.body(PLAIN).result()
    source.service = replace(source.service, model_seconds=99.5)
    assert renderings.body(PLAIN).result() == first
    now = OLDEST_SECONDS + 0.1
    assert b"99.5\n" in renderings.body(PLAIN).result()


def test_too_many_scrapes_of_a_part_are_refused():
    source = HeldSource()
    renderings = Renderings(source)
    waiting = [renderings.body(A_PART) for _ in range(MOST_WAITING)]
    with pytest.raises(TooManyScrapes):
        renderings.body(A_PART)
    source.go_on.set()
    assert all(b"xenprof_up" in future.result(10) for future in waiting)
    assert b"xenprof_up" in renderings.body(A_PART).result(10)


def test_a_whole_scrape_goes_before_the_parts_that_wait():
    source = HeldSource()
    renderings = Renderings(source)
    renderings.body(A_PART)
    assert source.begun.wait(10)
    done: SimpleQueue[str] = SimpleQueue()
    renderings.body(A_PART).add_done_callback(lambda _: done.put("part"))
    renderings.body(PLAIN).add_done_callback(lambda _: done.put("whole"))
    source.go_on.set()
    assert [done.get(timeout=10), done.get(timeout=10)] == ["whole", "part"]


def test_a_whole_scrape_that_waits_is_cancelled_when_the_service_stops():
    source = HeldSource()
    renderings = Renderings(source)
    renderings.body(A_PART)
    assert source.begun.wait(10)
    whole = renderings.body(PLAIN)
    renderings.close()
    source.go_on.set()
    assert whole.cancelled()


@pytest.mark.parametrize("form", [PLAIN, A_PART], ids=["whole", "part"])
def test_a_scrape_while_the_service_stops_is_refused(form: Form):
    renderings = Renderings(FixedSource())
    renderings.close()
    with pytest.raises(ScrapingStopped):
        renderings.body(form)


def test_a_part_that_is_cancelled_waits_no_longer():
    source = HeldSource()
    renderings = Renderings(source)
    first, second = renderings.body(A_PART), renderings.body(A_PART)
    assert source.begun.wait(10)
    renderings.close()
    source.go_on.set()
    assert (b"xenprof_up" in first.result(10), second.cancelled(), renderings._waiting) == (
        True, True, 0
    )  # fmt: skip


def test_whether_a_scrape_is_new_is_found_without_the_figures_of_the_service(monkeypatch):
    source = FixedSource()
    renderings = Renderings(source)
    renderings.body(PLAIN).result(10)
    monkeypatch.setattr(source, "stats", None)
    assert renderings.body(PLAIN).result(10)


def test_how_long_it_took_is_noted_by_format():
    source = FixedSource()
    renderings = Renderings(source, clock=iter(range(100)).__next__)
    renderings.body(Form(openmetrics=True, zipped=False)).result()
    assert list(source.counts.render_seconds()) == ["openmetrics"]
