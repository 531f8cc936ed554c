import contextlib
import errno
import random
from uuid import UUID

import pytest

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.polling.readings import NotRead
from hypervisor.live.agent.report.fields import to_json
from tests.support.live.fake_privcmd import VERSIONS, FakePrivcmd
from tests.support.live.fakes import SECOND, FakeDevices, FakeStore
from tests.support.live.machine import HVM, PAUSED, SHUTDOWN, Domain, Machine, Vcpu
from tests.support.live.polled import Polled

WEB = UUID("7d2c4b1e-0000-4000-8000-00000000002a")
NO_ERRNO = 1 << 40
EVERYTHING = {
    "physinfo": ("sysctl", 3),
    "scheduler": ("sysctl", 4),
    "cpuinfo": ("sysctl", 8),
    "topology": ("sysctl", 16),
    "pools": ("sysctl", 18),
    "vcpus": ("domctl", 14),
    "weights": ("domctl", 16),
    "affinity": ("domctl", 25),
}


def two_domains(**settings):
    return Polled(FakePrivcmd(Machine([Domain(0), Domain(1, WEB, **settings)])))


@pytest.mark.parametrize("release", [one for one in VERSIONS if one != "9.99"])
def test_a_host_is_read_on_every_release(release):
    polled = Polled(FakePrivcmd(release=release))

    report = polled.poll()

    assert (2600, 1, 2, 1) == (
        report.mhz,
        report.sockets,
        report.cores_per_socket,
        report.threads_per_core,
    )
    assert (2 << 20, 1 << 20, 0, "credit", ()) == (
        report.memory_kib,
        report.free_kib,
        report.scrub_kib,
        report.scheduler,
        report.problems,
    )


def test_a_domain_is_read_with_its_vcpus():
    vcpu = Vcpu(running=True, cpu_ns=5 * SECOND, pcpu=1, affinity=(1,))
    polled = two_domains(
        flags=0x20, cpu_ns=5 * SECOND, weight=512, cap=25, ssid=7, vcpus=[vcpu], total_pages=40960
    )

    web = polled.domain(1)

    assert (str(WEB), "pv", True, 5 * SECOND, 163840, 512, 25, 7, 0) == (
        web.uuid,
        web.kind,
        web.running,
        web.cpu_ns,
        web.memory_kib,
        web.weight,
        web.cap_percent,
        web.ssid,
        web.pool,
    )
    assert (0, True, False, True, 5 * SECOND, 1, (1,)) == web.vcpus[0][:7]
    assert (None, None, None, None) == web.vcpus[0][7:]


@pytest.mark.parametrize(
    ("flags", "emulation", "kind"), [(0, 0, "pv"), (HVM, 1, "pvh"), (HVM, 0x1FF, "hvm")]
)
def test_the_kind_of_a_domain_is_told_by_what_xen_emulates(flags, emulation, kind):
    assert kind == two_domains(flags=flags, emulation=emulation).domain(1).kind


def test_no_limit_of_memory_is_no_number():
    web = two_domains(maximum_pages=(1 << 64) - 1).domain(1)

    assert (None, True) == (web.maximum_kib, web.is_memory_unlimited)


def test_a_shutdown_has_a_reason_and_others_have_none():
    machine = Machine([Domain(0, flags=0xFF0010), Domain(1, WEB, SHUTDOWN | 3 << 16)])

    report = Polled(FakePrivcmd(machine)).poll()

    assert [None, 3] == [one.shutdown_reason for one in report.domains]


def test_what_the_toolstack_has_written_is_read_once():
    polled = two_domains()
    polled.store.values = {
        "/local/domain/1/name": "web",
        "/local/domain/1/memory/target": "163840",
        "/local/domain/1/memory/static-max": "262144",
        f"/vm/{WEB}/start_time": "1795344575.42",
        "/local/domain/0/name": "Domain-0",
    }

    web = polled.domain(1)
    polled.domain(1, after_ns=SECOND)

    assert ("web", 163840, 262144, 1795344575420000000) == (
        web.name,
        web.target_kib,
        web.configured_kib,
        web.created_unix_ns,
    )
    assert [] == polled.store.asked


def test_ballooning_and_a_new_name_are_seen():
    polled = two_domains()
    polled.store.values = {"/local/domain/1/name": "web", "/local/domain/1/memory/target": "1"}
    polled.poll()
    polled.store.values = {"/local/domain/1/name": "db", "/local/domain/1/memory/target": "2"}

    before = polled.domain(1, after_ns=SECOND)
    polled.machine.domains[1].maximum_pages = 2
    ballooned = polled.domain(1, after_ns=SECOND)
    polled.store.values["/local/domain/1/name"] = "cache"

    assert (1, 2) == (before.target_kib, ballooned.target_kib)
    assert "cache" == polled.domain(1, after_ns=30 * SECOND).name


def test_a_domid_that_is_given_again_is_another_domain():
    polled = two_domains()
    polled.store.values = {"/local/domain/1/name": "web"}
    polled.poll()
    polled.machine.domains[1] = Domain(1, UUID(int=9))
    polled.store.values = {"/local/domain/1/name": "db"}

    assert ("db", str(UUID(int=9))) == (polled.domain(1).name, polled.domain(1).uuid)


def test_cap_pinning_and_pause_are_seen_in_the_next_poll():
    polled = two_domains()
    polled.poll()
    web = polled.machine.domains[1]
    web.cap, web.flags, web.vcpus[0].affinity = 50, PAUSED, (1,)

    seen = polled.domain(1, after_ns=SECOND)

    assert (50, True, (1,)) == (seen.cap_percent, seen.paused, seen.vcpus[0].affinity)


def test_a_domain_that_goes_while_it_is_read_is_no_problem():
    polled = two_domains(vcpus=[Vcpu(), Vcpu()])

    def destroy(kind, command, domid):
        if (kind, command, domid) == ("domctl", 14, 1):
            del polled.machine.domains[1:]

    polled.privcmd.before = destroy
    report = polled.poll()

    assert ([0, 1], (), ()) == (
        [one.domid for one in report.domains],
        report.domains[1].vcpus,
        report.problems,
    )


@pytest.mark.parametrize(
    "number", [errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EFAULT, NO_ERRNO]
)
@pytest.mark.parametrize("what", EVERYTHING)
def test_a_refusal_leaves_its_data_unknown_and_is_told_in_one_line(what, number):
    polled = two_domains(vcpus=[Vcpu(), Vcpu()])
    polled.privcmd.denied = {EVERYTHING[what]: number}

    report = polled.poll()

    assert [what] == [line.split(":")[0] for line in report.problems]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EFAULT])
def test_a_host_that_refuses_to_list_its_domains_is_not_read(number):
    polled = two_domains()
    polled.privcmd.denied = {("sysctl", 6): number}

    with pytest.raises(NotRead, match=r"^domains: "):
        polled.poll()


def test_sources_are_named_of_what_was_read():
    polled = two_domains(vcpus=[Vcpu()])
    polled.store.values = {"/local/domain/1/memory/target": "163840"}
    whole = set(polled.poll().sources)
    polled.store.values = {}
    polled.privcmd.denied = {EVERYTHING["vcpus"]: errno.EPERM, ("domctl", 16): errno.EPERM}
    refused = Polled(polled.privcmd).poll().sources

    assert {"vcpu_time", "scheduler", "balloon"} == whole - set(refused)


def test_a_refusal_for_one_domain_leaves_the_others_known():
    polled = two_domains()

    def deny(kind, command, domid):
        if domid == 0 and kind == "domctl":
            raise HypercallFailed(errno.EACCES)

    polled.privcmd.before = deny
    report = polled.poll()

    assert [(0, None), (1, 256)] == [(len(one.vcpus), one.weight) for one in report.domains]
    assert ["vcpus", "weights", "affinity", "runstates"] == [
        line.split(":")[0] for line in report.problems
    ]


def test_weights_of_a_pool_are_asked_of_its_scheduler():
    machine = Machine(
        [Domain(0), Domain(1, WEB, pool=1, weight=300), Domain(2, UUID(int=2), pool=2)],
        pools={0: 5, 1: 6, 2: 8},
    )

    report = Polled(FakePrivcmd(machine)).poll()

    assert [256, 300, None] == [one.weight for one in report.domains]


def test_without_samples_nothing_is_said_of_runstates():
    assert "runstates" not in two_domains().poll().sources


def test_a_silent_xenstore_is_told_and_the_rest_is_read():
    polled = Polled(store=FakeStore(problem="xenstore does not answer"))

    report = polled.poll()

    assert (("xenstore: xenstore does not answer",), None, "balloon" in report.sources) == (
        report.problems,
        report.domains[0].name,
        False,
    )


@pytest.mark.parametrize("highest", [8192, 0xFFFFFFFE])
def test_a_number_of_vcpus_that_cannot_be_leaves_the_others_known(highest):
    polled = two_domains(highest_vcpu=highest)
    polled.machine.domains.append(Domain(2, UUID(int=2)))

    report = polled.poll()

    assert [1, 0, 1] == [len(one.vcpus) for one in report.domains]
    assert ("vcpus: domain 1 cannot have so many",) == report.problems


def test_affinities_are_unknown_where_the_number_of_pcpus_is():
    polled = two_domains()
    polled.privcmd.denied = {EVERYTHING["physinfo"]: errno.EPERM}

    assert polled.domain(1).vcpus[0].affinity is None


def test_devices_that_are_left_out_are_told():
    report = Polled(devices=FakeDevices(left_out="there are too many")).poll()

    assert ("devices: some are left out: there are too many",) == report.problems


def test_devices_that_cannot_be_found_are_told_and_have_no_source():
    polled = Polled(devices=FakeDevices(problem="no bus"))

    report = polled.poll()

    assert (("devices: no bus",), set(), None) == (
        report.problems,
        {"vif", "vbd"} & set(report.sources),
        report.domains[0].vifs,
    )


def test_many_vcpus_have_their_affinities_read_in_turn():
    polled = Polled(FakePrivcmd(Machine([Domain(0, vcpus=[Vcpu() for _ in range(300)])])))
    polled.poll()
    polled.privcmd.calls.clear()

    polled.poll(after_ns=SECOND)

    assert 128 == sum(call[:2] == ("domctl", 25) for call in polled.privcmd.calls)


def test_the_time_of_a_poll_is_the_middle_of_what_the_hypervisor_counts():
    polled = two_domains()
    began_ns = polled.clock.now

    def pass_time(kind, command, domid):
        polled.clock.now += 1000

    polled.privcmd.before = pass_time
    polled.privcmd.calls.clear()
    report = polled.poll()
    kinds = [call[:2] for call in polled.privcmd.calls]
    last = len(kinds) - kinds[::-1].index(EVERYTHING["affinity"])

    assert began_ns + last * 1000 // 2 == report.time_ns
    assert len(kinds) * 1000 == report.read_ns
    assert 1_700_000_000 * SECOND + report.time_ns == report.unix_ns


def test_a_poll_counts_its_hypercalls():
    polled = two_domains()
    before = polled.poll()
    polled.privcmd.calls.clear()

    report = polled.poll()

    assert (before.serial + 1, len(polled.privcmd.calls)) == (report.serial, report.hypercalls)


@pytest.mark.parametrize("seed", range(10))
def test_nonsense_from_the_device_is_reported_without_a_crash(seed):
    polled = Polled(FakePrivcmd(garbage=random.Random(seed)))

    with contextlib.suppress(NotRead):
        assert to_json(polled.poll())


def test_short_answers_from_the_device_are_no_report():
    with pytest.raises(NotRead, match="no domain 0"):
        Polled(FakePrivcmd(is_short=True)).poll()
