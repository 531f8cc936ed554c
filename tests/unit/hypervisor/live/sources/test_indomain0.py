import pytest

from hypervisor.host import tracer_of
from hypervisor.live.agent.errors import StoreFailed, Unavailable
from hypervisor.live.agent.options import Options
from hypervisor.live.agent.tracing.buffers import Tracing
from hypervisor.live.agent.tracing.feeding import FedTracing
from hypervisor.live.agent.tracing.reports import TracedReports
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.records import PhysicalInfo
from hypervisor.live.opening import opened
from hypervisor.live.sources import indomain0
from hypervisor.live.sources.addresses import Address
from hypervisor.live.sources.indomain0 import InDomain0
from hypervisor.live.sources.source import Unreachable
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import FakeRings
from tests.support.live.hosts import HeldClock
from tests.support.live.reports import SECOND, report


class Machine:
    """An agent.opening.OpenHost."""

    interface = "domctl 0x15, sysctl 0x15"

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.hertz = 0
        self.is_closed = False

    def poll(self):
        if self.failure is not None:
            raise self.failure
        return report()

    def sample(self, hertz: int) -> None:
        self.hertz = hertz

    def machine(self):
        return PhysicalInfo(1, 2, 2, 1, 2_600_000, 0, 0, 0, 0)

    def tracing(self):
        privcmd = FakePrivcmd()
        FakeRings(privcmd)
        return FedTracing(Tracing(Xen(privcmd), privcmd), TracedReports(), 2_600_000)

    def trace(self) -> None:
        raise AssertionError("who serves does not trace all the time")

    def close(self) -> None:
        self.is_closed = True


def test_it_opens_this_machine_and_samples_as_the_agent_does(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(indomain0, "this_host", lambda: machine)
    monkeypatch.setattr(indomain0, "give_up", lambda but: [])
    source = InDomain0.opened()

    assert (Options().sample_hz, report()) == (machine.hertz, source.read())


def test_privileges_are_given_up_after_the_host_is_open_and_before_threads_are(monkeypatch, caplog):
    done: list[object] = []
    machine = Machine()
    monkeypatch.setattr(machine, "sample", lambda hertz: done.append("sample"))

    def opened():
        done.append("open")
        return machine

    def give_up(but):
        done.append(("give up", but))
        return ["capabilities: Operation not permitted"]

    monkeypatch.setattr(indomain0, "this_host", opened)
    monkeypatch.setattr(indomain0, "give_up", give_up)
    InDomain0.opened()

    assert ["open", ("give up", (1, 3)), "sample"] == done
    assert ["kept: capabilities: Operation not permitted"] == caplog.messages


def test_a_machine_that_is_no_domain_0_is_told_in_a_line(monkeypatch):
    def refuse():
        raise Unavailable("/dev/xen/privcmd", "there is no such file", "run this in domain 0")

    monkeypatch.setattr(indomain0, "this_host", refuse)

    with pytest.raises(Unreachable) as refused:
        InDomain0.opened()
    assert "/dev/xen/privcmd: there is no such file; run this in domain 0" == str(refused.value)


@pytest.mark.parametrize("failure", [StoreFailed("no answer"), OSError("no answer")])
def test_a_poll_that_fails_is_a_failure_of_the_source(failure):
    machine = Machine()
    machine.failure = failure

    with pytest.raises(Unreachable, match=r"^no answer$"):
        InDomain0(machine).read()


def test_it_closes_what_it_has_opened():
    machine = Machine()
    InDomain0(machine).close()

    assert machine.is_closed


def test_this_machine_has_a_tracer_with_a_ring_for_each_pcpu():
    tracer = InDomain0(Machine()).tracer(HeldClock().now_ns)
    tracer.set_masks(1 << 17 | 1 << 12, (1 << 64) - 1)

    assert ((0, 0), 1) == (tracer.status().lost, tracer.status().ring_pages)


def test_a_service_of_this_machine_offers_a_tracer_and_ends_the_trace_with_itself():
    source = InDomain0(Machine())
    with opened([Address("dom0", "xen", lambda: source)], SECOND) as (host,):
        tracer = tracer_of(host)
        tracer.set_masks(1 << 17 | 1 << 12, (1 << 64) - 1)

    assert 0 == tracer.status().event_mask
