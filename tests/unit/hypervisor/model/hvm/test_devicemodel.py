import pytest

from hypervisor.model.codebook.work import Work
from hypervisor.model.domain.runstate import BLOCKED, RUNNABLE
from hypervisor.model.hvm.devicemodel import WAKE_NS, DeviceModel
from tests.support.model.hosts import MS, SECOND, cpu, domain, make_host


@pytest.fixture
def host():
    host = make_host(domain("a", kind="hvm", cpus="1"), domain0={"cpus": "0"})
    host.advance(SECOND)
    return host


def smp_host(*workloads):
    """Return a host with a guest whose two vcpus share a pcpu."""
    guest = domain("a", *workloads, kind="hvm", vcpus=2, cpus="1")
    host = make_host(guest, domain0={"cpus": "0"}, support_limits=False)
    host.advance(SECOND)
    return host


@pytest.fixture
def model(host):
    emulation = host.hypercalls.residents[1].devices.emulation
    assert emulation is not None
    return emulation.model


def test_a_vcpu_waits_until_qemu_dm_has_answered(host, model: DeviceModel):
    vcpu = host.hypercalls.residents[1].domain.vcpus[0]
    seen: list[int] = []
    model.access(0, 1, [], seen.append, 7)
    assert (1, []) == (vcpu.awaited, seen)
    host.advance(SECOND + 2 * MS)
    assert (0, [7]) == (vcpu.awaited, seen)


def test_a_vcpu_that_waits_for_a_pcpu_meanwhile_waits_for_qemu_dm_alone():
    host = smp_host(cpu(threads=2))
    resident = host.hypercalls.residents[1]
    emulation = resident.devices.emulation
    assert emulation is not None
    (waiting,) = [one for one in resident.domain.vcpus if one.runstate.state == RUNNABLE]
    emulation.model.access(waiting.vcpu_id, 1, [], lambda _: None, None)
    assert BLOCKED == waiting.runstate.state


def test_the_vcpu_that_has_executed_an_access_waits_though_its_task_is_queued_elsewhere():
    host = smp_host()
    guest = host.hypercalls.residents[1].guest
    host.advance(SECOND + 5 * MS)  # between two lots of ticks
    (task,) = guest.spawn("/bin/bash")
    executed: list[int] = []
    for _ in range(2):
        parts = guest.parts(("syscall", 100))
        guest.run(Work(parts, lambda work: executed.append(work.task.vcpu), task=task))
    host.advance(SECOND + 8 * MS)
    assert [0, 1] == executed


@pytest.mark.parametrize(
    ("processor", "mhz", "least_ns", "most_ns"),
    [
        ("p4", 3200, 12_000, 25_000),
        ("hammer", 2400, 12_000, 25_000),
        ("core_2", 3000, 8_000, 15_000),
    ],
)
def test_an_access_takes_12_to_25_us_and_less_on_a_core_2(processor, mhz, least_ns, most_ns):
    xen = "3.1" if processor == "core_2" else "3.0.3"
    host = make_host(
        domain("a", kind="hvm", cpus="1"),
        domain0={"cpus": "0"},
        cpu=processor,
        mhz=mhz,
        hypervisor=xen,
    )
    emulation = host.hypercalls.residents[1].devices.emulation
    assert emulation is not None
    host.advance(SECOND)
    ended: list[int] = []
    emulation.model.access(0, 100, [], lambda _: ended.append(host.now_ns), None)
    host.advance(SECOND + 20 * MS)
    guests_own_ns = host.code.cycles[host.code.index["hvm_device_access"]] * 1000 // mhz
    each_ns = (ended[0] - SECOND) / 100 + guests_own_ns
    assert least_ns <= each_ns <= most_ns
    assert each_ns > 2 * WAKE_NS


def test_it_does_one_thing_at_a_time_in_order(host, model: DeviceModel):
    ended: list[tuple[int, int]] = []
    for number in range(3):
        model.serve([("qemu_receive_packet", 10)], lambda n: ended.append((n, host.now_ns)), number)
    host.advance(SECOND + 20 * MS)
    times = [at_ns for _, at_ns in ended]
    assert [0, 1, 2] == [number for number, _ in ended]
    assert times == sorted(set(times))


def test_it_is_a_process_of_domain_0_with_two_threads(host, model: DeviceModel):
    guest = host.hypercalls.residents[0].guest
    assert "/usr/lib64/xen/bin/qemu-dm" == guest.tasks[model.pid].program
    assert 2 == len({thread.tid for thread in model.threads})


def test_what_it_has_to_do_is_forgotten_with_its_guest(host, model: DeviceModel):
    ended: list[int] = []
    model.serve([("qemu_receive_packet", 1)], ended.append, 1)
    model.end()
    host.advance(SECOND + 20 * MS)
    assert [] == ended
