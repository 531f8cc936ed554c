"""A disk without room, at a dump and at the end of a daemon."""

from pathlib import Path

import pytest

from tests.support.fake_host import (
    USER,
    samples,
)
from tests.support.session_setups import SECOND, SETUP, recipe_start, total, unseen
from xenprof.errors import StoreError, StoreFull
from xenprof.store import placing
from xenprof.store.samplefile import merged
from xenprof.store.sessiondir import SessionDir
from xenprof.wire.opcontrol import DaemonStatus


def fill_disk(monkeypatch):
    """Make every sample file unwritable until the returned function is called."""

    def full(path, header, offsets, counts):
        raise StoreFull(str(path), f"{Path(path).name}: No space left on device")

    monkeypatch.setattr(placing, "merged", full)
    return lambda: monkeypatch.setattr(placing, "merged", merged)


def test_full_disk_is_told_by_dump_and_the_next_one_writes_all(
    sessions, host, tmp_path, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    make_room = fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    full = sessions.dump("Domain-0")
    make_room()
    again = sessions.dump("Domain-0")
    assert (full.exit_code, len(full.stderr), again.exit_code, total(tmp_path)) == (1, 1, 0, 1)


def test_a_session_with_samples_that_cannot_be_written_is_not_saved(
    sessions, host, tmp_path, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    make_room = fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    refused = sessions.save("Domain-0", "first")
    make_room()
    saved = sessions.save("Domain-0", "first")
    assert (refused.exit_code, refused.stderr[-1], saved.exit_code) == (
        1,
        "The session is not saved: make room, then run opcontrol --save again",
        0,
    )
    assert (total(tmp_path, session="first"), host.profiler.counted_lost) == (1, {})


def test_a_reset_tells_and_counts_the_samples_that_could_not_be_written(
    sessions, host, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.reset("Domain-0")
    assert (outcome.exit_code, outcome.stderr, host.profiler.counted_lost) == (
        0,
        ("1 samples that could not be written are deleted too",),
        {"Domain-0": {"store_write_failed": 1}},
    )


def test_samples_that_cannot_be_written_at_shutdown_are_counted_lost(sessions, host, monkeypatch):
    sessions.start("Domain-0", SETUP)
    fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.shutdown("Domain-0")
    assert (outcome.stderr[-1], host.profiler.counted_lost) == (
        "1 samples are lost, since they could not be written",
        {"Domain-0": {"store_write_failed": 1}},
    )


def test_a_shutdown_does_not_say_that_what_is_lost_is_kept(sessions, host, monkeypatch):
    sessions.start("Domain-0", SETUP)
    fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.shutdown("Domain-0")
    assert [line for line in outcome.stderr if "kept" in line] == []


def test_samples_lost_at_shutdown_are_in_the_session(sessions, host, tmp_path, monkeypatch):
    sessions.start("Domain-0", SETUP)
    fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.shutdown("Domain-0")
    assert unseen(tmp_path)["lost_reasons"] == "store_write_failed=1"


def test_samples_that_a_destroyed_domain_could_not_write_are_in_its_session(
    sessions, host, tmp_path, monkeypatch
):
    recipe_start(sessions)
    fill_disk(monkeypatch)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    host.advance(SECOND)
    host.destroy("web")
    sessions.domain_gone(1)
    assert unseen(tmp_path, "web")["lost_reasons"] == "store_write_failed=1"


def fill_disk_for_notes(monkeypatch):
    """Make sample files and notes unwritable until the returned function is called."""
    make_room = fill_disk(monkeypatch)
    end_dump = SessionDir.end_dump

    def full(self, stats, notes, disk):
        raise StoreFull(str(self.path), "stats: No space left on device")

    monkeypatch.setattr(SessionDir, "end_dump", full)

    def again():
        make_room()
        monkeypatch.setattr(SessionDir, "end_dump", end_dump)

    return again


def later(sessions, host):
    host.advance(60 * SECOND)
    sessions.pump()


AGAIN = {
    "after a while": later,
    "by a start": lambda sessions, host: sessions.start("Domain-0", SETUP),
    "at the end of the service": lambda sessions, host: sessions.close(),
}


@pytest.mark.parametrize("how", AGAIN)
def test_losses_that_a_full_disk_refused_are_written_when_there_is_room(
    sessions, host, tmp_path, monkeypatch, how
):
    sessions.start("Domain-0", SETUP)
    make_room = fill_disk_for_notes(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.shutdown("Domain-0")
    make_room()
    AGAIN[how](sessions, host)
    assert unseen(tmp_path)["lost_reasons"] == "store_write_failed=1"


def test_a_daemon_continues_from_losses_that_were_never_written(
    sessions, host, tmp_path, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    make_room = fill_disk_for_notes(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.shutdown("Domain-0")
    sessions.start("Domain-0", SETUP)
    make_room()
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["lost_reasons"] == "store_write_failed=1"


def test_close_on_a_full_disk_says_so_after_ending_every_daemon(sessions, host, monkeypatch):
    recipe_start(sessions)
    fill_disk(monkeypatch)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    with pytest.raises(StoreError, match="No space left on device"):
        sessions.close()
    assert sessions.status("db") == DaemonStatus("stopped")


def test_notes_that_no_room_was_made_for_are_told_at_the_end_of_the_service(
    sessions, host, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    fill_disk_for_notes(monkeypatch)
    sessions.shutdown("Domain-0")
    with pytest.raises(StoreError, match="what it has lost could not be noted"):
        sessions.close()


def test_a_session_whose_losses_cannot_be_noted_is_not_saved(sessions, host, tmp_path, monkeypatch):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    fill_disk_for_notes(monkeypatch)()
    make_room = fill_disk_for_notes(monkeypatch)
    monkeypatch.setattr(placing, "merged", merged)  # samples fit, notes do not
    refused = sessions.save("Domain-0", "first")
    make_room()
    saved = sessions.save("Domain-0", "first")
    assert (refused.exit_code, saved.exit_code, total(tmp_path, session="first")) == (1, 0, 1)
