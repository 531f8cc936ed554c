from dataclasses import replace

import pytest

from tests.support.snapshots import grumble
from tests.support.sparse_host import sparse
from xenprof.session.unseen import Unseen

XENOPROF = grumble().xenoprof


def lines(begun, ended, earlier=None) -> dict[str, str]:
    """Return what is told of a span of counting, by key."""
    unseen = Unseen(0, begun, earlier or {})
    unseen.begin(begun)
    return dict(line.partition(" ")[::2] for line in unseen.lines(ended, 0))


def test_idle_time_that_the_host_does_not_know_has_no_number():
    hosts = [replace(sparse(seconds), xenoprof=XENOPROF) for seconds in (1, 2)]

    assert "" == lines(*hosts)["idle_seconds"]


def test_idle_time_stays_unknown_in_a_later_part_of_the_session():
    assert "" == lines(grumble(1), grumble(2), {"idle_seconds": ""})["idle_seconds"]


def test_idle_time_goes_on_from_an_earlier_part_of_the_session():
    def idle(earlier: str) -> float:
        return float(lines(grumble(1), grumble(2), {"idle_seconds": earlier})["idle_seconds"])

    assert pytest.approx(1.5) == idle("2.500") - idle("1.000")
