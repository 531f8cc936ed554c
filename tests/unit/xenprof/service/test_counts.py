from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import exporters.prometheus  # noqa: F401 - for its errors
import xenprof.service.app  # noqa: F401 - for the errors that it imports
from hypervisor.errors import HostError
from xenprof.errors import XenprofError
from xenprof.service.counts import CODES, OTHER, Counted, Counts


def test_what_may_increase_is_shown_from_the_start():
    assert Counts().figures()[Counted.SCRAPES] == {("text",): 0, ("openmetrics",): 0}


def test_only_signals_that_are_pushed_have_counts_which_begin_at_0():
    counts = Counts()
    before = counts.figures()[Counted.PUSH_FAILURES]
    counts.begin_pushes("logs")
    assert (before, counts.figures()[Counted.PUSH_FAILURES]) == ({}, {("logs",): 0})


def test_codes_are_shown_when_there_was_one():
    counts = Counts()
    counts.add(Counted.HTTP_REQUESTS, "404")
    assert counts.figures()[Counted.HTTP_REQUESTS] == {("404",): 1}


def test_a_value_that_is_not_in_the_table_counts_as_other():
    counts = Counts()
    for code in ("299", "600", "x" * 1000):
        counts.add(Counted.HTTP_REQUESTS, code)
    assert counts.figures()[Counted.HTTP_REQUESTS] == {(OTHER,): 3}


def test_threads_lose_no_count():
    counts = Counts()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(800):
            threads.submit(counts.add, Counted.SCRAPE_BYTES, "gzip", by=2)
    assert counts.figures()[Counted.SCRAPE_BYTES]["gzip",] == 1600


def test_the_duration_of_an_unknown_format_is_not_kept():
    counts = Counts()
    counts.note_render("text", 0.5)
    counts.note_render("html", 0.5)
    assert counts.render_seconds() == {"text": 0.5}


Errors = type[HostError] | type[XenprofError]


def kinds(error: Errors) -> Iterator[Errors]:
    """Yield a class of errors and those derived from it."""
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_every_status_that_the_service_answers_with_has_a_code():
    found = (*kinds(HostError), *kinds(XenprofError))
    statuses = {str(kind.http_status) for kind in found}
    assert statuses - set(CODES) == set()
