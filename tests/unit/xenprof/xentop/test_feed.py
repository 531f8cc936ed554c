from pathlib import Path

import pytest

from tests.support.talk_host import HOST, SECOND
from tests.support.xentop_screen import Service, later
from xenprof.client import ServiceError
from xenprof.xentop.feed import LONGEST_PAUSE_SECONDS, LiveFeed, ReplayFeed
from xenprof.xentop.recording import HEAD, Look, Recorder, Recording, RecordingError, to_line

MUCH = 10**9
SEEN = (100, 102, 105, 205)  # seconds, by the clock of who looked


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "host.rec"
    looks = [Look(seen * SECOND, later(HOST, n)) for n, seen in enumerate(SEEN)]
    path.write_bytes(HEAD + b"".join(map(to_line, looks)))
    found = Recording(path)
    yield found
    found.close()


@pytest.fixture
def recorder(tmp_path):
    found = Recorder(tmp_path / "new.rec", MUCH)
    yield found
    found.close()


def shown(feed, *, is_due=False):
    """Return the numbers of the looks that are compared."""
    span = feed.look(is_due=is_due)
    before = None if span.before is None else (span.before.time_ns - HOST.time_ns) // SECOND
    return before, (span.now.time_ns - HOST.time_ns) // SECOND


def test_a_live_host_is_compared_with_the_look_before():
    feed = LiveFeed(Service(HOST, later(HOST, 3)).fetch)

    assert [(None, 0), (0, 3)] == [shown(feed), shown(feed)]


def test_after_a_gap_nothing_is_compared():
    service = Service(HOST, later(HOST, 3))
    feed = LiveFeed(service.fetch)
    feed.look(is_due=True)
    service.is_gone = True
    with pytest.raises(ServiceError):
        feed.look(is_due=True)
    service.is_gone = False

    assert (None, 3) == shown(feed)


def test_each_new_look_is_recorded_once(recorder):
    feed = LiveFeed(Service(HOST, HOST, later(HOST, 3)).fetch, recorder, lambda: 7)
    for _ in range(4):
        feed.look(is_due=True)

    assert f"Recording into {recorder.path}: 2 looks" == feed.status


def test_a_recording_that_has_ended_is_told(recorder):
    recorder.trouble = "the disk is full"

    assert (
        "Nothing more is recorded: the disk is full" == LiveFeed(Service().fetch, recorder).status
    )


def test_without_a_recording_there_is_no_status():
    assert "" == LiveFeed(Service().fetch).status


def test_a_live_feed_waits_for_the_delay():
    assert 2.5 == LiveFeed(Service().fetch).pause_seconds(2.5)


def test_keys_mean_nothing_to_a_live_feed():
    assert not LiveFeed(Service().fetch).press("space")


def test_a_replay_goes_on_when_it_is_due(recording):
    feed = ReplayFeed(recording)

    assert [(None, 0), (0, 1), (0, 1), (1, 2), (2, 3), (2, 3)] == [
        shown(feed, is_due=is_due) for is_due in (False, True, False, True, True, True)
    ]


@pytest.mark.parametrize(
    ("speed", "pauses"),
    [(1, [2, 3, LONGEST_PAUSE_SECONDS, None]), (2, [1, 1.5, LONGEST_PAUSE_SECONDS, None])],
)
def test_a_replay_has_the_pace_of_the_recording_by_its_speed(recording, speed, pauses):
    feed = ReplayFeed(recording, speed)
    found = []
    for is_due in (False, True, True, True):
        feed.look(is_due=is_due)
        found.append(feed.pause_seconds(99))

    assert pauses == found


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["full_stop"], (0, 1)),
        (["full_stop", "full_stop", "comma"], (0, 1)),
        (["comma"], (None, 0)),
        (["end"], (2, 3)),
        (["end", "home"], (None, 0)),
        (["end", "full_stop"], (2, 3)),
    ],
)
def test_keys_step(recording, keys, expected):
    feed = ReplayFeed(recording)
    for key in keys:
        feed.press(key)

    assert expected == shown(feed)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["space"], "paused"),
        (["space", "space"], "speed 1"),
        (["full_stop"], "paused"),
        (["greater_than_sign"] * 2, "speed 4"),
        (["less_than_sign"], "speed 0.5"),
        (["greater_than_sign"] * 9, "speed 64"),
    ],
)
def test_the_status_tells_the_pace(recording, keys, expected):
    feed = ReplayFeed(recording)
    for key in keys:
        feed.press(key)

    assert f", {expected}; keys:" in feed.status


def test_the_status_tells_the_place_and_the_time(recording):
    feed = ReplayFeed(recording)
    feed.press("full_stop")
    feed.look(is_due=False)

    assert feed.status.startswith("Look 2 of 4, seen 1970-01-01 00:01:42 UTC, paused")


def test_a_paused_replay_waits_for_a_key(recording):
    feed = ReplayFeed(recording)
    feed.press("space")

    assert feed.pause_seconds(1) is None


@pytest.mark.parametrize("key", ["n", "d", "up"])
def test_other_keys_are_left_to_the_screen(recording, key):
    assert not ReplayFeed(recording).press(key)


def test_a_replay_that_goes_on_reads_each_look_once(recording, monkeypatch):
    read, at = [], Recording.at

    def counted(self, number):
        read.append(number)
        return at(self, number)

    monkeypatch.setattr(Recording, "at", counted)
    feed = ReplayFeed(recording)
    for number in range(len(recording)):
        feed.look(is_due=number > 0)
        feed.pause_seconds(1)

    assert [0, 1, 2, 3] == read


def damaged(path: Path) -> Recording:
    path.write_bytes(HEAD + to_line(Look(0, HOST)) + b"{}\n" + to_line(Look(5, later(HOST, 2))))
    return Recording(path)


def test_a_damaged_look_is_told_and_passed(tmp_path):
    recording = damaged(tmp_path / "x.rec")
    feed = ReplayFeed(recording)
    feed.look(is_due=False)
    with pytest.raises(RecordingError, match="look 2 is damaged"):
        feed.look(is_due=True)

    assert (None, 2) == shown(feed, is_due=True)
    recording.close()


def test_before_a_damaged_look_the_delay_is_waited(tmp_path):
    recording = damaged(tmp_path / "x.rec")
    feed = ReplayFeed(recording)
    feed.look(is_due=False)

    assert 4 == feed.pause_seconds(4)
    recording.close()
