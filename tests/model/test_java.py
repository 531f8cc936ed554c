"""The workload `java`: messages of chat rooms, their locks, and the collector."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.java.chat import ALLOCATED_BYTES
from tests.support.model.hosts import SECOND, domain, make_host, result, seen

WOODCREST = {
    "cpu": "core_2", "mhz": 3000, "hypervisor": "3.1", "sockets": 2, "cores_per_socket": 2,
    "memory_mib": 8192,
}  # fmt: skip


def java(**given):
    return {"kind": "java", **given}


def ran(seconds=2, vcpus=1, **given):
    cpus = [str(1 + n) for n in range(vcpus)]
    host = make_host(
        domain("a", java(**given), memory_mib=512, vcpus=vcpus, cpus=cpus),
        domain0={"cpus": "0"}, cores_per_socket=5, memory_mib=4096,
    )  # fmt: skip
    host.advance(seconds * SECOND)
    return host


@pytest.fixture(scope="module")
def alone():
    return ran()


def test_a_message_takes_15_to_25_us_of_a_p4(alone):
    assert 15 < 1e6 / result(alone, "a")["messages_per_second"] < 25


def test_half_of_the_time_of_linux_is_spent_in_its_kernel(alone):
    """40 to 60 % of system time."""
    spent = seen(alone, "a")
    assert spent.user_ns is not None and spent.kernel_ns is not None
    assert 0.4 < spent.kernel_ns / (spent.user_ns + spent.kernel_ns) < 0.6


def test_a_collection_comes_when_the_new_objects_have_filled_their_part_of_the_heap(alone):
    """HotSpot: a third of the heap is young, of which eight tenths are for new objects."""
    done = result(alone, "a")
    interval = 128 * 2**20 / 3 * 0.8 / (done["messages_per_second"] * ALLOCATED_BYTES)
    assert done["collections"] == int(2 / interval)


def test_twice_the_heap_halves_the_collections(alone):
    larger = result(ran(4, heap_mib=256), "a")
    assert larger["collections"] == pytest.approx(result(alone, "a")["collections"], abs=1)


def test_what_survives_is_copied_at_four_cycles_a_byte(alone):
    done = result(alone, "a")
    each = done["collected_seconds"] / done["collections"]
    assert each == pytest.approx(128 * 2**20 / 3 * 0.8 * 0.05 * 4 / 3.2e9, rel=0.1)


def test_threads_of_the_collector_share_its_work():
    one, four = (result(ran(3, vcpus=4, collector_threads=threads), "a") for threads in (1, 4))
    each = [done["collected_seconds"] / done["collections"] for done in (one, four)]
    assert 2.5 < each[0] / each[1] < 4


def test_a_collection_stops_everybody_until_its_slowest_thread_is_done():
    """Where the guest's vcpus take turns on one pcpu, two threads take as long as one."""
    host = make_host(
        domain("a", java(heap_mib=64), memory_mib=256, vcpus=2, cpus="1"), domain0={"cpus": "0"}
    )
    host.advance(3 * SECOND)
    shared = result(host, "a")
    apart = result(ran(3, vcpus=2, heap_mib=64), "a")
    each = [done["collected_seconds"] / done["collections"] for done in (shared, apart)]
    assert each[0] > 1.9 * each[1]


def messages(guests, vcpus):
    names = [f"g{number}" for number in range(guests)]
    host = make_host(
        *(domain(name, java(), memory_mib=512, vcpus=vcpus) for name in names), **WOODCREST
    )
    host.advance(2 * SECOND)
    return sum(result(host, name)["messages"] for name in names)


def test_a_guest_with_four_vcpus_does_less_than_four_with_one():
    """It pays for run queues, interrupts of other vcpus and locked instructions."""
    four, two, one = messages(4, 1), messages(2, 2), messages(1, 4)
    assert four > two > one
    assert 0.8 < one / four < 0.97


def test_a_domain_that_is_destroyed_stops(alone):
    host = ran(1)
    host.toolstack.domains.destroy("a")
    host.advance(2 * SECOND)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rooms": 0}, "greater than or equal to 1"),
        ({"heap_mib": 8}, "greater than or equal to 16"),
        ({"threads": 2}, "unknown key 'threads'.*allowed: kind, rooms, heap_mib"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(given, text):
    with pytest.raises(ScenarioError, match=text):
        make_host(domain("a", java(**given)))
