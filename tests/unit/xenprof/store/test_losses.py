"""The losses of a session: its own notes, or the statistics of oprofile in the same words."""

import pytest

from xenprof.store.losses import parse_reasons, reasons_text, session_losses, session_unread
from xenprof.store.unseen import write_unseen


def write_stats(session, **stats):
    for name, count in stats.items():
        path = session / "stats" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{count}\n")


def test_statistics_of_oprofile_are_told_by_our_reasons(tmp_path):
    write_stats(
        tmp_path, event_lost_overflow=1, sample_lost_no_mm=2, sample_lost_no_mapping=3,
        cpu0__sample_lost_overflow=4, cpu1__sample_lost_overflow=5, cpu0__sample_received=99,
    )  # fmt: skip
    assert session_losses(tmp_path, {}) == {
        "event_buffer_overflow": 1,
        "no_mm": 2,
        "no_mapping": 3,
        "cpu_buffer_overflow": 9,
    }


def test_notes_of_a_session_hold_what_its_statistics_hold_and_more(tmp_path):
    write_stats(tmp_path, cpu0__sample_lost_overflow=4)
    write_unseen(tmp_path, ["lost_samples 10", "lost_reasons cpu_buffer_overflow=4,ring_full=6"])
    assert session_losses(tmp_path, {}) == {"cpu_buffer_overflow": 4, "ring_full": 6}


def test_losses_noted_with_stacks_count_where_nothing_else_tells(tmp_path):
    write_stats(tmp_path, event_lost_overflow=1)
    assert session_losses(tmp_path, {"no_address": 3}) == {
        "no_address": 3,
        "event_buffer_overflow": 1,
    }


def test_losses_noted_with_stacks_are_not_counted_twice(tmp_path):
    write_unseen(tmp_path, ["lost_reasons no_address=3"])
    assert session_losses(tmp_path, {"no_address": 3}) == {"no_address": 3}


def test_what_waits_unread_is_told_apart(tmp_path):
    write_unseen(tmp_path, ["lost_reasons ", "unread_samples 14"])
    assert ({}, {"unread": 14}) == (session_losses(tmp_path, {}), session_unread(tmp_path))


@pytest.mark.parametrize("text", ["", "=", "a", "a=", "a=-1", "a=1.5", "a=" + "9" * 21, "a=\u0663"])
def test_a_text_that_is_no_loss_is_skipped(text):
    assert parse_reasons(f"{text},ring_full=2") == {"ring_full": 2}


def test_reasons_are_read_as_they_are_written():
    lost = {"ring_full": 2, "no_mm": 1}
    assert parse_reasons(reasons_text(lost)) == lost
