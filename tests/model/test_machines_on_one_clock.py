"""Machines on one clock: without a connection each behaves as if it were alone."""

import pytest

from hypervisor.model.machine import Machine, build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.model.timing.clock import Clock
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import HostSnapshot
from tests.support.model.hosts import SECOND
from tests.support.model.profiling import begin, set_counter

SEEDS = (1, 2)


def machine(seed: int, clock: Clock | None = None) -> Machine:
    scenario = load_scenario("grumble")
    host = scenario.host.model_copy(update={"seed": seed})
    return build(scenario.model_copy(update={"host": host}), epoch_ns=0, clock=clock)


def profiled(*hosts: Machine) -> list[tuple[HostSnapshot, list[bytes]]]:
    """Do the same with each of the hosts; return the state of each and its samples."""
    for host in hosts:
        set_counter(host)
        begin(host, active=(0, 3))
    for host in hosts:  # on one clock all but the first are at that time already
        host.advance(SECOND)
    for host in hosts:
        host.toolstack.domains.pause("ossvm02")
        host.toolstack.resources.set_memory("DesktopVM", 300)
        host.toolstack.domains.create({"name": "new", "memory": 32, "kernel": "/boot/vmlinuz"})
    for host in hosts:
        host.advance(3 * SECOND)
    shown = [host.telemetry.snapshot() for host in hosts]
    for host in hosts:
        host.profiler.oprofile("0").write("dump", "1")
    for host in hosts:
        host.advance(4 * SECOND)
    return [(one, samples(host)) for one, host in zip(shown, hosts, strict=True)]


def samples(host: Machine) -> list[bytes]:
    """Return the columns of all samples that domain 0's daemon has received."""
    batches = [lot.load().columns() for lot in host.profiler.oprofile("0").read_buffer()]
    return [getattr(one, name).tobytes() for one in batches for name in SampleBatch.__slots__]


@pytest.fixture(scope="module")
def together() -> list[tuple[HostSnapshot, list[bytes]]]:
    clock = Clock()
    return profiled(*(machine(seed, clock) for seed in SEEDS))


@pytest.fixture(scope="module")
def apart() -> list[tuple[HostSnapshot, list[bytes]]]:
    return [profiled(machine(seed))[0] for seed in SEEDS]


@pytest.mark.parametrize("which", range(len(SEEDS)))
def test_each_shows_the_same_as_alone(together, apart, which):
    assert apart[which][0] == together[which][0]


@pytest.mark.parametrize("which", range(len(SEEDS)))
def test_each_is_sampled_as_alone(together, apart, which):
    assert apart[which][1] == together[which][1]


def test_what_differs_between_them_is_their_own_seed(together):
    first, second = (shown.domains for shown, _ in together)

    assert first != second


def test_advancing_one_is_advancing_all():
    clock = Clock()
    one, other = machine(1, clock), machine(2, clock)
    one.advance(SECOND)

    assert other.now_ns == other.telemetry.snapshot().time_ns == SECOND


def test_a_machine_without_a_clock_gets_its_own():
    one, other = machine(1), machine(1)
    one.advance(SECOND)

    assert (one.now_ns, other.now_ns) == (SECOND, 0)


def test_a_machine_does_not_boot_on_a_clock_that_has_run():
    with pytest.raises(ValueError, match="a machine boots at 0"):
        machine(1, Clock(now=5))
