"""The contract of a host that claims a tracer; see test_host_contract.py."""

import pytest

from hypervisor.errors import Refused
from hypervisor.trace_events import ALL, LOST_RECORDS, SCHED, is_selected
from tests.support.contracts import SECOND, let_pass

EVERY_PCPU = (1 << 64) - 1


@pytest.fixture
def traced(host, tracer):
    """Return a tracer that records everything."""
    tracer.set_poll(SECOND // 100, 1)
    tracer.set_masks(ALL, EVERY_PCPU)
    return tracer


def test_nothing_is_recorded_before_somebody_asks(host, tracer):
    let_pass(host, 0.5)

    assert list(tracer.read()) == []


def test_a_record_is_read_once(host, traced):
    let_pass(host, 0.5)

    assert len(traced.read()) > 0
    assert list(traced.read()) == []


def test_records_of_a_pcpu_come_in_the_order_of_time(host, traced):
    let_pass(host, 0.5)
    records = traced.read()
    by_pcpu = [[one.time_ns for one in records if one.pcpu == n] for n in {r.pcpu for r in records}]

    assert by_pcpu == [sorted(times) for times in by_pcpu]


def test_only_what_is_asked_for_is_recorded(host, tracer):
    tracer.set_masks(SCHED, 1)
    let_pass(host, 0.5)
    others = {
        (one.pcpu, one.event)
        for one in tracer.read()
        if one.pcpu or not (one.event == LOST_RECORDS or is_selected(one.event, SCHED))
    }

    assert others == set()


def test_the_status_tells_the_masks(traced):
    traced.set_masks(SCHED, 1)
    status = traced.status()

    assert (status.event_mask, status.pcpu_mask) == (SCHED, 1)


def test_what_was_emitted_was_read_or_lost_or_waits(host, traced):
    let_pass(host, 0.5)
    traced.read()
    status = traced.status()

    accounted = sum(status.read) + sum(status.lost) + sum(status.held)

    assert sum(status.emitted) == accounted > 0


def test_the_size_of_the_rings_is_set_once(tracer):
    tracer.set_ring_pages(10)

    with pytest.raises(Refused):
        tracer.set_ring_pages(20)
