from dataclasses import replace

import pytest

from hypervisor.telemetry import ProfilingSession
from tests.support.snapshots import grumble
from xenprof.service.journal import EndedSession, Journal, Journals, Reading, XendLine

SECOND = 10**9
BOOT_NS = 1_170_000_000 * SECOND
SESSION = ProfilingSession("a" * 32, 4 * SECOND, ("EVENT:1:0:1:1",), (0,), ())


def test_a_reader_gets_what_is_new_to_it():
    journal: Journal[str] = Journal(10)
    journal.append("a")
    first = journal.after(0)
    journal.append("b")
    assert (first, journal.after(first.serial)) == (Reading(("a",), 1, 0), Reading(("b",), 2, 0))


def test_nothing_new_is_an_empty_reading():
    journal: Journal[str] = Journal(10)
    journal.append("a")
    assert journal.after(1) == Reading((), 1, 0)


def test_the_oldest_go_and_a_reader_learns_how_many_it_has_missed():
    journal: Journal[int] = Journal(3)
    for number in range(5):
        journal.append(number)
    assert journal.after(1) == Reading((2, 3, 4), 5, 1)


def test_weight_counts_not_number():
    journal: Journal[str] = Journal(10, len)
    for text in ("aaaa", "bbbb", "cccc"):
        journal.append(text)
    assert journal.after(0) == Reading(("bbbb", "cccc"), 3, 1)


def test_lines_of_xend_have_the_hosts_time():
    journals = Journals()
    journals.note(grumble(10), ["a line"])
    assert journals.xend.after(0).entries == (XendLine("a line", BOOT_NS + 10 * SECOND),)


def test_the_offset_leads_from_the_hosts_time_to_that_of_the_wall():
    journals = Journals(wall_ns=lambda: 1_800_000_000 * SECOND)
    host = grumble(10)
    journals.note(host, ())
    assert host.unix_ns + journals.offset_ns == 1_800_000_000 * SECOND


@pytest.mark.parametrize("after", [None, replace(SESSION, trace_id="b" * 32)])
def test_a_session_has_ended_when_another_or_none_counts(after):
    journals = Journals()
    for step, profiling in ((5, SESSION), (6, SESSION), (7, after)):
        journals.note(replace(grumble(step), profiling=profiling), ())
    assert journals.sessions.after(0).entries == (
        EndedSession(SESSION, BOOT_NS + 4 * SECOND, BOOT_NS + 7 * SECOND),
    )


def test_a_session_that_counts_has_not_ended():
    journals = Journals()
    for step in (5, 6):
        journals.note(replace(grumble(step), profiling=SESSION), ())
    assert journals.sessions.after(0).entries == ()
