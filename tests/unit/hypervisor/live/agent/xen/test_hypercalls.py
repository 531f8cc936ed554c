import errno
import random
from uuid import UUID

import pytest

from hypervisor.live.agent.errors import HypercallFailed, Unavailable
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.inquiries import Wanted
from tests.support.live.fake_privcmd import VERSIONS, FakePrivcmd
from tests.support.live.machine import HVM, PAUSED, Domain, Machine, Vcpu

KNOWN = [release for release in VERSIONS if release != "9.99"]


@pytest.mark.parametrize("release", KNOWN)
def test_the_interface_versions_of_each_release_are_found(release):
    xen = Xen(FakePrivcmd(release=release))

    assert VERSIONS[release][:2] == (xen.domctl.version, xen.sysctl.version)


@pytest.mark.parametrize("release", KNOWN)
def test_memory_is_read_in_the_layout_of_each_release(release):
    machine = Machine(total_pages=786300, free_pages=515672, scrub_pages=12)

    physinfo = Xen(FakePrivcmd(machine, release)).physinfo()

    assert (786300, 515672, 12, 0) == physinfo[5:]


@pytest.mark.parametrize("release", KNOWN)
def test_domains_are_read_in_the_layout_of_each_release(release):
    uuid = UUID("7d2c4b1e-0000-4000-8000-00000000002a")
    domains = [Domain(0), Domain(7, uuid, HVM | PAUSED, cpu_ns=12345, emulation=1, ssid=3)]

    found = Xen(FakePrivcmd(Machine(domains), release)).domains()

    assert [0, 7] == [one.domid for one in found]
    assert (str(uuid), 12345, 1, 3) == (
        found[1].uuid,
        found[1].cpu_ns,
        found[1].emulation,
        found[1].ssid,
    )
    assert (HVM | PAUSED, True) == (found[1].flags, found[1].is_stopped)


def test_an_unknown_version_is_refused_with_the_numbers_that_were_tried():
    with pytest.raises(Unavailable, match="0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12"):
        Xen(FakePrivcmd(release="9.99"))


def test_more_domains_than_one_call_gives_are_all_read():
    xen = Xen(FakePrivcmd(Machine([Domain(domid) for domid in range(1300)])))

    assert list(range(1300)) == [one.domid for one in xen.domains()]


def test_lives_are_those_of_the_domains():
    xen = Xen(FakePrivcmd(Machine([Domain(domid) for domid in range(600)])))

    assert [(one.domid, one.uuid) for one in xen.domains()] == xen.lives()


def test_a_vcpu_is_read():
    vcpu = Vcpu(online=True, blocked=False, running=True, cpu_ns=1 << 40, pcpu=3)
    xen = Xen(FakePrivcmd(Machine([Domain(4, vcpus=[Vcpu(), vcpu])])))

    assert (True, False, True, 1 << 40, 3) == xen.vcpu(4, 1)


@pytest.mark.parametrize(("domid", "vcpu"), [(4, 1), (5, 0)])
def test_a_vcpu_that_has_gone_is_none(domid, vcpu):
    xen = Xen(FakePrivcmd(Machine([Domain(4)])))

    assert xen.vcpu(domid, vcpu) is None
    asked = Wanted([(domid, vcpu)], affinities=[(domid, vcpu)], pcpus=2)
    assert ([None], [], [None]) == xen.inquiry(asked).ask(never)


def never(kind, error):
    raise AssertionError(kind, error)


def affinities(xen, vcpus, pcpus):
    """Return the affinities of vcpus; none may be refused."""
    return xen.inquiry(Wanted(affinities=vcpus, pcpus=pcpus)).ask(never).affinities


@pytest.mark.parametrize("has_multicall", [True, False], ids=["together", "one by one"])
def test_many_vcpus_are_read_together_where_that_can_be_done(has_multicall):
    vcpus = [Vcpu(cpu_ns=number, affinity=(number % 2,)) for number in range(300)]
    xen = Xen(FakePrivcmd(Machine([Domain(4, vcpus=vcpus)]), has_multicall=has_multicall))
    wanted = [(4, number) for number in range(300)]

    inquiry = xen.inquiry(Wanted([*wanted, (5, 0)]))

    assert [*range(300), None] == [info and info[3] for info in inquiry.ask(never).vcpus]
    assert [(number % 2,) for number in range(128)] == affinities(xen, wanted[:128], 2)


@pytest.mark.parametrize("has_multicall", [True, False], ids=["together", "one by one"])
def test_questions_are_asked_again_as_they_were(has_multicall):
    machine = Machine([Domain(0), Domain(1, weight=512, cap=25)])
    xen = Xen(FakePrivcmd(machine, has_multicall=has_multicall))
    both = [(0, 0), (1, 0)]
    inquiry = xen.inquiry(Wanted(both, [(0, 5), (1, 5)], both, 2))
    before = inquiry.ask(never)
    machine.domains[0].vcpus[0].cpu_ns = 77
    del machine.domains[1]
    after = inquiry.ask(never)

    assert ([0, 0], [(256, 0), (512, 25)]) == (
        [info and info[3] for info in before.vcpus],
        before.weights,
    )
    assert ([77, None], [(256, 0), None], [True, False]) == (
        [info and info[3] for info in after.vcpus],
        after.weights,
        [one is not None for one in after.affinities],
    )


def test_what_is_refused_together_is_told_one_by_one():
    xen = Xen(FakePrivcmd(denied={("domctl", 14): errno.EPERM}))
    refused: list[tuple[str, int]] = []

    found = xen.inquiry(Wanted([(0, 0)], [(0, 5)])).ask(
        lambda kind, error: refused.append((kind, error.errno))
    )

    assert ([None], [(256, 0)]) == (found.vcpus, found.weights)
    assert [("vcpus", errno.EPERM)] == refused


def test_a_refused_request_says_its_errno():
    xen = Xen(FakePrivcmd(denied={("domctl", 14): errno.EPERM}))

    with pytest.raises(HypercallFailed) as caught:
        xen.vcpu(0, 0)

    assert errno.EPERM == caught.value.errno


def test_an_affinity_is_read_beyond_the_first_64_pcpus():
    xen = Xen(FakePrivcmd(Machine([Domain(0, vcpus=[Vcpu(affinity=(1, 63, 64, 130))])])))

    assert [(1, 63, 64, 130)] == affinities(xen, [(0, 0)], 131)


def test_an_affinity_ends_with_the_pcpus_of_the_host():
    xen = Xen(FakePrivcmd(Machine([Domain(0, vcpus=[Vcpu(affinity=tuple(range(8)))])])))

    assert [(0, 1)] == affinities(xen, [(0, 0)], 2)


def test_weight_and_cap_are_asked_of_the_pool_s_scheduler():
    machine = Machine([Domain(0), Domain(1, weight=512, cap=25, pool=1)], pools={0: 5, 1: 6})
    xen = Xen(FakePrivcmd(machine))

    assert {0: 5, 1: 6} == xen.pools()
    assert [(512, 25), None, None] == xen.inquiry(Wanted(weights=[(1, 6), (1, 5), (1, 8)])).ask(
        never
    ).weights


def test_a_context_says_where_a_vcpu_is():
    vcpu = Vcpu(in_kernel=True, rip=0xFFFFFFFF81A442B5)
    xen = Xen(FakePrivcmd(Machine([Domain(1, vcpus=[vcpu])])))

    context = xen.context(1, 0)

    assert context is not None
    assert (True, 0xFFFFFFFF81A442B5, 0xE033) == context


def test_the_host_s_version_idle_times_and_places_are_read():
    xen = Xen(FakePrivcmd(Machine(idle_ns=[5, 7], places=[(0, 0, 0), (1, 0, 0)])))

    assert ((4, 17, ".7"), [5, 7], [(0, 0, 0), (1, 0, 0)], 5) == (
        xen.version(),
        xen.cpu_idle_ns(2),
        xen.topology(2),
        xen.scheduler_id(),
    )


def test_waiting_time_is_that_of_xcp_ng():
    machine = Machine(runstates={0: ([1, 2, 3, 4, 5, 6], 7)})

    assert 7 == Xen(FakePrivcmd(machine)).runnable_ns(0)


def test_trace_buffers_are_made_once():
    machine = Machine()
    xen = Xen(FakePrivcmd(machine))

    before = xen.trace_info()
    xen.set_trace_size(16)
    xen.enable_trace()

    assert ((0, 0), (0x1000, 4096), True) == (before[:2], xen.trace_info()[:2], machine.is_traced)
    with pytest.raises(HypercallFailed):
        xen.set_trace_size(32)


@pytest.mark.parametrize("seed", range(20))
def test_nonsense_is_read_without_a_crash(seed):
    xen = Xen(FakePrivcmd(garbage=random.Random(seed)))

    assert len(xen.cpu_idle_ns(1 << 20)) <= 8192
    assert len(xen.topology(1 << 20)) <= 8192
    assert len(xen.domains_from(0, 512)) <= 512
    assert len(xen.domains()) <= 0x7FF0
    assert len(xen.pools()) <= 0x7FF0


def test_short_answers_are_read_as_nothing():
    xen = Xen(FakePrivcmd(is_short=True))

    assert ([], []) == (xen.domains(), xen.cpu_idle_ns(2))
