"""Samples with stacks are stored, held or lost, each once; without recording there are none."""

import errno

import pytest
from hypothesis import given, settings

from tests.support.daemon import WITH_XEN, Daemon
from tests.support.fake_host import KERNEL_START, samples
from tests.support.stack_daemon import Recording, row, rows
from xenprof.store import stackfile


@pytest.fixture
def daemon(tmp_path):
    return Recording(tmp_path)


def test_stored_and_lost_are_all_samples_with_stacks(daemon):
    daemon.store(row(5), row(6), row(2, tgid=999), row(2, tgid=200), row(5, event=7),
                 row(5, pc=5))  # fmt: skip
    balance = daemon.balance()
    lost = {"no_mm": 1, "no_mapping": 1, "unknown_event": 1, "no_kernel_image": 1}
    assert (6, 2, 0, lost) == (
        balance.taken, balance.stored, balance.in_memory,
        {reason: count for reason, count in balance.lost.items() if count},
    )  # fmt: skip


@given(rows)
@settings(max_examples=25, deadline=None)
def test_the_balance_holds_before_and_after_each_flush(tmp_path_factory, drawn):
    daemon = Recording(tmp_path_factory.mktemp("root"))
    for length, _, event in drawn:
        daemon.oprofiled.take(samples(row(length, event=event)))
        if length % 2:
            daemon.oprofiled.flush()
        daemon.oprofiled.balance()  # attributes the waiting samples
        now = daemon.balance()
        assert now.taken == now.stored + now.in_memory + sum(now.lost.values())
    assert now.taken == len(drawn)


@given(rows)
@settings(max_examples=25, deadline=None)
def test_stacks_and_sample_files_hold_the_same_samples(tmp_path_factory, drawn):
    daemon = Recording(tmp_path_factory.mktemp("root"))
    daemon.store(*[row(length, event=event) for length, _, event in drawn])
    stored = [sum(counts) for counts in daemon.stacks().values()]
    assert daemon.plain() == sum(stored) == len(drawn)


def test_arcs_are_no_samples_for_the_writer(daemon):
    daemon.store(row(5))
    assert 1 == daemon.writer.outcome.stored


def fail(monkeypatch, code):
    def refuse(*_):
        raise OSError(code, "no")

    monkeypatch.setattr("pathlib.Path.replace", refuse)


def test_a_full_disk_is_waited_for(daemon, monkeypatch):
    fail(monkeypatch, errno.ENOSPC)
    daemon.oprofiled.take(samples(row(5), row(6)))
    daemon.oprofiled.flush()
    assert (0, 2) == (daemon.balance().stored, daemon.balance().in_memory)
    assert "stacks of 2 samples kept for the next dump" in (
        daemon.stack_writer.outcome.problem or ""
    )
    monkeypatch.undo()
    daemon.store(row(5))
    assert (3, 0, None) == (
        daemon.balance().stored, daemon.balance().in_memory, daemon.stack_writer.outcome.problem
    )  # fmt: skip


def test_what_is_held_when_the_session_changes_is_lost(daemon, monkeypatch):
    fail(monkeypatch, errno.ENOSPC)
    daemon.oprofiled.take(samples(row(5)))
    daemon.oprofiled.flush()
    monkeypatch.undo()
    daemon.oprofiled.discard()
    assert (0, 1) == (daemon.balance().stored, daemon.balance().lost["store_write_failed"])


def test_a_damaged_file_of_stacks_is_set_aside_and_loses_nothing_new(daemon):
    path = stackfile.stack_path(daemon.writer.session)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    daemon.oprofiled.take(samples(row(5)))
    daemon.oprofiled.flush()
    assert (1, 1) == (daemon.writer.outcome.stored, daemon.stack_writer.outcome.stored)
    (aside,) = (daemon.writer.session / "damaged").rglob("stacks.xps.damaged-1")
    assert b"something else" == aside.read_bytes()


def test_more_than_can_be_held_is_given_up(daemon, monkeypatch):
    daemon.stack_writer._held_stacks = 1
    fail(monkeypatch, errno.ENOSPC)
    daemon.oprofiled.take(samples(row(5), row(6)))
    daemon.oprofiled.flush()
    assert 2 == daemon.balance().lost["store_write_failed"]


# -- Off


def test_without_stacks_nothing_is_written_beside_the_samples(tmp_path):
    daemon = Daemon(tmp_path, **WITH_XEN)
    daemon.store(row(5), row(6))
    assert not stackfile.has_stacks(daemon.writer.session)
    assert [None] * len(daemon.files()) == [file.key.callee for file in daemon.files()]


def test_the_sample_files_are_the_same_with_and_without_stacks(tmp_path):
    one, other = Daemon(tmp_path / "a", **WITH_XEN), Recording(tmp_path / "b")
    for daemon in (one, other):
        daemon.store(row(5), row(6), row(2), row(5, pc=KERNEL_START + 0x61), row(1, event=3))
    trees = [
        {
            path.relative_to(daemon.writer.session): path.read_bytes()
            for path in daemon.writer.session.rglob("*")
            if path.is_file() and "{cg}" not in path.parts and "stacks" not in path.parts
        }
        for daemon in (one, other)
    ]
    assert trees[0] == trees[1]
