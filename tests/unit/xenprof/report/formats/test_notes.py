"""What is told beside a report."""

from dataclasses import replace

import pytest

from tests.support.stack_profiles import flat, profile
from xenprof.report.formats.notes import notes, picture_notes
from xenprof.report.formats.request import Request
from xenprof.report.views.joining import by_place

LINE = "lost: 7 samples (cpu_buffer_overflow 5, ring_full 2)"
WHOLE = Request(profile())


def test_losses_are_told_with_their_reasons():
    assert [LINE] == list(notes(WHOLE))


def test_nothing_lost_is_not_told():
    assert [] == list(notes(Request(flat())))


def test_losses_of_both_sessions_are_told_in_a_comparison():
    compared = replace(WHOLE, base=profile())
    assert [f"before: {LINE}", f"after: {LINE}"] == list(notes(compared))


def test_a_domain_that_was_not_sampled_is_told_to_be_a_caller_only():
    """All samples of the stacks that begin in web and end in Domain-0."""
    joined = replace(profile(), stacks=((0, 2, 3, 4, 5),), values=profile().values[4:5])
    found = list(notes(Request(replace(joined, lost={}, frames=joined.frames[:6]))))
    assert ["only callers: web"] == found


def test_a_flat_flame_graph_says_how_to_get_callers():
    (line,) = picture_notes(Request(flat()))
    assert "--callgraph" in line


@pytest.mark.parametrize(
    ("joined", "of", "words"),
    [
        ("cause", profile(), "begins in the domain on whose behalf"),
        ("place", by_place(profile()), "`[for NAME]`"),
    ],
)
def test_a_joined_flame_graph_says_whose_time_it_shows(joined, of, words):
    assert words in list(picture_notes(Request(of, joined=joined)))[-2]


@pytest.mark.parametrize("of", [profile(), by_place(profile())])
def test_a_joined_flame_graph_has_the_shares_of_both_ways(of):
    """25 of 100 samples are domain 0's, on behalf of web; the columns are sorted by a merge."""
    event = [kind.event for kind in of.types].index("GLOBAL_POWER_EVENTS")
    assert list(picture_notes(Request(of, event=event)))[-1] == (
        "Whose processors: web 68.0 %, Domain-0 31.0 %, we:b 2 1.0 %; "
        "on whose behalf: web 93.0 %, Domain-0 6.0 %, we:b 2 1.0 %."
    )
