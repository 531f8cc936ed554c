import errno
from uuid import UUID

import pytest

from hypervisor.live.agent.errors import HypercallFailed
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import SECOND
from tests.support.live.machine import Domain, Machine, Vcpu
from tests.support.live.polled import Polled

WEB = UUID("7d2c4b1e-0000-4000-8000-00000000002a")


def two_domains(**settings):
    return Polled(FakePrivcmd(Machine([Domain(0), Domain(1, WEB, **settings)])))


@pytest.mark.parametrize(
    "asked", [("domctl", 14), ("domctl", 16), ("domctl", 98)], ids=["vcpus", "weights", "runstates"]
)
def test_a_domain_has_nothing_of_the_next_one_that_gets_its_domid_while_it_is_read(asked):
    polled = two_domains()
    polled.machine.runstates = {0: ([0] * 6, 10), 1: ([0] * 6, 20)}
    polled.poll()

    def reuse(kind, command, domid):
        if (kind, command, domid) == (*asked, 1):
            polled.machine.domains[1] = Domain(1, UUID(int=9), cpu_ns=7)

    polled.privcmd.before = reuse
    during = polled.poll()
    polled.privcmd.before = None
    after = polled.poll()

    assert [[(0, None)], [(0, None), (1, 7)]] == [
        [(one.domid, one.cpu_ns or None) for one in report.domains] for report in (during, after)
    ]


def test_runstates_are_asked_once_of_a_hypervisor_that_has_none():
    polled = two_domains()

    polled.poll()
    polled.poll()

    assert 1 == sum(call[:2] == ("domctl", 98) for call in polled.privcmd.calls)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EBUSY, errno.ENOMEM])
def test_runstates_that_were_refused_once_are_told_and_asked_again(number):
    polled = two_domains()
    polled.machine.runstates = {0: ([0] * 6, 10), 1: ([0] * 6, 20)}
    polled.privcmd.denied = {("domctl", 98): number}
    refused = polled.poll()
    polled.privcmd.denied = {}
    answered = polled.poll()

    assert (f"runstates: {HypercallFailed(number)}",) == refused.problems
    assert ([10, 20], ()) == ([one.runnable_ns for one in answered.domains], answered.problems)


def test_runstates_that_a_policy_does_not_know_are_asked_again_in_five_minutes():
    polled = two_domains()
    polled.machine.runstates = {0: ([0] * 6, 10), 1: ([0] * 6, 20)}
    polled.privcmd.denied = {("domctl", 98): errno.EPERM}
    polled.poll()
    polled.privcmd.denied = {}
    soon, later = polled.poll(299 * SECOND), polled.poll(SECOND)

    assert [[None, None], [10, 20]] == [
        [one.runnable_ns for one in report.domains] for report in (soon, later)
    ]


def test_runstates_of_xcp_ng_are_those_of_all_vcpus():
    polled = two_domains(vcpus=[Vcpu(), Vcpu()])
    polled.machine.runstates = {0: ([0] * 6, 10), 1: ([0] * 6, 20)}

    report = polled.poll()

    assert ([10, 40], "hypercall") == (
        [one.runnable_ns for one in report.domains],
        report.sources["runstates"],
    )
