"""The span of time of a report."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stack_profiles import flat
from xenprof.errors import UsageError
from xenprof.history.slices import FOLDER, Slice, SliceStore
from xenprof.history.window import chosen, moment, read_window

SECOND = 10**9
NOW = 1_173_873_600 * SECOND  # 2007-03-14T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5m", NOW - 300 * SECOND),
        ("1.5h", NOW - 5400 * SECOND),
        ("200ms", NOW - 200_000_000),
        ("2d", NOW - 2 * 86400 * SECOND),
        ("1173873600", NOW),
        ("@1173873600.25", NOW + 250_000_000),
        ("2007-03-14T12:00:00", NOW),
        ("2007-03-14T13:00:00+01:00", NOW),
        ("2007-03-14 12:00:00.5Z", NOW + 500_000_000),
    ],
)
def test_a_time_is_ago_or_unix_or_iso(text: str, expected: int):
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 parsecs", "12345678901", "2007-13-01"])
def test_anything_else_is_refused_with_what_to_write(text: str):
    with pytest.raises(UsageError, match="is no time: write 5m"):
        moment(text, NOW)


def test_a_small_number_without_a_unit_is_refused_with_what_to_write():
    with pytest.raises(UsageError, match=r"^8 is no time without a unit: write 8s \(seconds ago\)"):
        moment("8", NOW)


def test_a_small_unix_time_is_taken_after_its_sign():
    assert moment("@8", NOW) == 8 * SECOND


ends = st.lists(st.integers(1, 60), min_size=1, max_size=20)


@given(ends, st.lists(st.integers(-5, 700), min_size=2, max_size=6))
def test_adjacent_spans_share_no_slice_and_leave_none_out(lengths: list[int], cuts: list[int]):
    known, start = [], 0
    for length in lengths:
        known.append(Slice(start, start + length, Path(str(start)), 1))
        start += length
    first, *_, last = edges = sorted(cuts)
    pieces = [
        each for since, until in itertools.pairwise(edges) for each in chosen(known, since, until)
    ]

    assert pieces == chosen(known, first, last)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a HOME with six slices of ten seconds, of the minute before NOW."""
    store = SliceStore(tmp_path / FOLDER, retention_ns=10**18, max_bytes=10**9)
    store.open()
    for ago in range(60, 0, -10):
        store.add(flat(), NOW - ago * SECOND, NOW - (ago - 10) * SECOND)
    return tmp_path


def no_warning(line: str) -> None:
    raise AssertionError(line)


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [("1m", None, 6), ("30s", "10s", 2), (None, "30s", 3), ("1h", "59m", 0), (None, None, 6)],
)
def test_a_report_has_the_slices_of_its_span(home: Path, since, until, count: int):
    if not count:
        with pytest.raises(UsageError, match="no slice of the history is between"):
            read_window(home, since, until, NOW, no_warning)
        return
    total, _ = read_window(home, since, until, NOW, no_warning)

    assert total.totals == (500 * count,)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("5s", "30s", "--since 5s is not before --until 30s"),
        ("30s", "30s", "--since 30s is not before --until 30s"),
        ("2099-01-01", None, "--since 2099-01-01 is not before now"),
    ],
)
def test_a_span_that_ends_before_it_begins_is_told(
    home: Path, since: str, until: str | None, message: str
):
    with pytest.raises(UsageError) as error:
        read_window(home, since, until, NOW, no_warning)

    assert message == str(error.value)


def test_without_a_service_now_is_the_end_of_the_history(home: Path):
    total, title = read_window(home, "20s", None, None, no_warning)

    assert (total.totals, title) == (
        (1000,),
        "history 2007-03-14T11:59:40Z to 2007-03-14T12:00:00Z",
    )


def test_a_torn_slice_is_left_out_with_a_line(home: Path):
    torn = next((home / FOLDER).iterdir())
    torn.write_bytes(torn.read_bytes()[:50])
    lines: list[str] = []
    total, _ = read_window(home, None, None, NOW, lines.append)

    assert total.totals == (2500,)
    assert [(str(torn) in line, line.endswith(": left out")) for line in lines] == [(True, True)]


def test_without_a_history_it_says_how_to_get_one(tmp_path: Path):
    with pytest.raises(UsageError, match="xenprof serve --history"):
        read_window(tmp_path, "5m", None, NOW, no_warning)
