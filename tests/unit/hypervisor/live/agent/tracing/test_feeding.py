import threading

import pytest

from hypervisor.live.agent.tracing.buffers import ALL_EVENTS, Tracing
from hypervisor.live.agent.tracing.feeding import FedTracing, trace_runstates
from hypervisor.live.agent.tracing.reports import TracedReports
from hypervisor.live.agent.tracing.rings import RingsShared
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import FakeRings
from tests.support.live.reports import report


class Bench:
    def __init__(self):
        self.privcmd = FakePrivcmd()
        self.machine = self.privcmd.machine
        self.rings = FakeRings(self.privcmd)
        self.reports = TracedReports()
        tracing = Tracing(Xen(self.privcmd), self.privcmd, lambda seconds: None)
        self.fed = FedTracing(tracing, self.reports, 1_000_000)

    def source(self):
        return self.reports.completed(report()).sources.get("waits")


@pytest.fixture
def bench():
    return Bench()


def test_reports_are_traced_while_all_changes_of_runstates_are(bench):
    bench.fed.start(ALL_EVENTS)
    during = bench.source()
    bench.fed.stop()

    assert ("trace", None) == (during, bench.source())


@pytest.mark.parametrize(("events", "pcpus"), [(0x0001F000, None), (ALL_EVENTS, [0])])
def test_reports_are_not_traced_by_a_trace_of_something_else(bench, events, pcpus):
    bench.fed.start(events, pcpus)

    assert bench.source() is None


def test_a_trace_that_another_program_ends_ends_for_reports_too(bench):
    bench.fed.start(ALL_EVENTS)
    bench.machine.trace_mask = 1

    with pytest.raises(RingsShared):
        bench.fed.read()

    assert bench.source() is None


class Stop(threading.Event):
    """It is set after some waits, each of which does something."""

    def __init__(self, *at_waits):
        super().__init__()
        self.left = list(at_waits)
        self.waited = []

    def wait(self, seconds=None):
        self.waited.append(seconds)
        self.left.pop(0)()
        if not self.left:
            self.set()
        return self.is_set()


def test_runstates_are_traced_until_the_end(bench):
    on = []
    stop = Stop(lambda: on.append(bench.machine.is_traced), lambda: None)
    trace_runstates(bench.fed, bench.reports, stop)

    assert ([True], False, [0.2, 0.2]) == (on, bench.machine.is_traced, stop.waited)


def test_a_trace_that_fails_in_another_way_is_told_and_tried_again(bench, monkeypatch):
    told = []

    def fail(windows):
        raise IndexError("hostile")

    def look():
        told.extend(bench.reports.completed(report()).problems)

    monkeypatch.setattr(bench.reports, "add", fail)
    trace_runstates(bench.fed, bench.reports, Stop(lambda: None, look))

    assert (["trace: it has failed: IndexError('hostile')"], None, False) == (
        [problem for problem in told if problem.startswith("trace")],
        bench.source(),
        bench.machine.is_traced,
    )


def test_what_another_program_has_taken_is_told_and_tried_again_after_a_minute(bench):
    told = []

    def take():
        bench.machine.trace_mask = 1

    def look():
        told.extend(bench.reports.completed(report()).problems)

    stop = Stop(take, look)
    trace_runstates(bench.fed, bench.reports, stop)

    assert [0.2, 60.0] == stop.waited
    assert "trace: the trace buffers: another program has chosen other events" in told[0]
