"""The thread that makes slices: failures are counted and logged, and do not end it."""

import shutil
from pathlib import Path

import pytest

from tests.support.homes import write_home
from xenprof.errors import StoreError
from xenprof.history.collector import Collector, Cut
from xenprof.history.figures import HistorySettings
from xenprof.history.recorder import Recorder
from xenprof.history.slices import FOLDER, slices

SECOND = 10**9


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    return Collector(write_home(tmp_path), print).collect()


def test_what_is_recorded_is_a_slice(tmp_path: Path, cut: Cut):
    recorder = Recorder(tmp_path, HistorySettings(), "h")
    recorder.record(cut, 1 * SECOND, 2 * SECOND)
    recorder.stop()
    (made,) = slices(tmp_path / FOLDER)

    assert list(recorder.slices) == [made]
    assert (recorder.stats().written, recorder.stats().bytes) == (1, made.bytes)


def test_nothing_sampled_is_no_slice(tmp_path: Path):
    recorder = Recorder(tmp_path, HistorySettings(), "h")
    recorder.record(Cut(), 1 * SECOND, 2 * SECOND)
    recorder.stop()

    assert recorder.stats().slices == 0


def test_the_retention_is_kept_when_nothing_is_sampled(tmp_path: Path, cut: Cut):
    recorder = Recorder(tmp_path, HistorySettings(retention_ns=60 * SECOND), "h")
    recorder.record(cut, 1 * SECOND, 2 * SECOND)
    recorder.record(Cut(), 61 * SECOND, 62 * SECOND)
    recorder.stop()

    assert (recorder.stats().slices, recorder.stats().expired) == (0, 1)


def test_what_cannot_be_written_is_counted_and_told_once(tmp_path: Path, cut: Cut):
    told: list[str] = []
    recorder = Recorder(tmp_path, HistorySettings(), "h", warn=told.append)
    shutil.rmtree(tmp_path / FOLDER)
    (tmp_path / FOLDER).write_text("in the way")
    recorder.record(cut, 1 * SECOND, 2 * SECOND)
    recorder.record(cut, 1 * SECOND, 2 * SECOND)
    recorder.stop()

    assert (recorder.stats().dropped, recorder.stats().slices) == (2, 0)
    assert [("history" in line, "\n" in line) for line in told] == [(True, False)]


def test_it_goes_on_when_the_disk_does(tmp_path: Path, cut: Cut):
    recorder = Recorder(tmp_path, HistorySettings(), "h", warn=lambda line: None)
    aside = (tmp_path / FOLDER).rename(tmp_path / "aside")
    recorder.record(cut, 1 * SECOND, 2 * SECOND)
    recorder.stop()
    aside.rename(tmp_path / FOLDER)
    recorder = Recorder(tmp_path, HistorySettings(), "h")
    recorder.record(cut, 3 * SECOND, 4 * SECOND)
    recorder.stop()

    assert [each.start_unix_ns for each in slices(tmp_path / FOLDER)] == [3 * SECOND]


def test_a_home_that_cannot_hold_it_is_refused_at_the_start(tmp_path: Path):
    (tmp_path / FOLDER).write_text("")

    with pytest.raises(StoreError, match="File exists"):
        Recorder(tmp_path, HistorySettings(), "h")
