"""What neighbours take from each other: the cache they share, the way to memory, and its place.

The expected figures come from the law or the paper named at each test.
"""

from typing import Any

import pytest

from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, make_host, netperf, result
from tests.support.model.profiling import begin, count_now, set_counter


def work_of(host, name, seconds=5):
    host.advance(seconds * SECOND)
    return result(host, name)["work_seconds"] / seconds


def test_a_domain_that_comes_back_to_a_full_cache_fetches_its_lines_again():
    """128 busy domains of 2003 lost 7.5 % at slices of 5 ms, and hardly anything at 50 ms.

    Source: Barham et al., SOSP 2003, figure 6. Here two domains of a pcpu take turns.
    """

    def lost(slice_ms):
        settings = {
            "sedf_period_ms": 2.04 * slice_ms,
            "sedf_slice_ms": slice_ms,
            "sedf_extratime": False,
            "cpus": "0",
        }
        host = make_host(
            domain("a", cpu(), **settings),
            domain("b", cpu(), **settings),
            mhz=2400, scheduler="sedf", domain0={"cpus": "1"},
        )  # fmt: skip
        host.advance(20 * SECOND)
        work = sum(result(host, name)["work_seconds"] for name in "ab")
        time = sum(one.cpu_ns or 0 for one in host.telemetry.snapshot().domains[1:]) / SECOND
        return 1 - work / time

    assert 0.05 < lost(5) < 0.10
    assert 0 < lost(50) < 0.02


def test_a_guest_alone_on_its_pcpu_keeps_its_cache():
    host = make_host(domain("a", cpu(), cpus="1"), domain0={"cpus": "0"})
    assert work_of(host, "a") == pytest.approx(1, rel=0.01)


def lost_by_moves(stay_ms, caches=2):
    """Return what a program loses that fills its cache, moved from one pcpu to the next."""
    host = make_host(
        domain("a", cpu(program="mysqld"), cpus="1"),
        cores_per_socket=1 + caches,
        domain0={"cpus": "0"},
    )
    host.advance(SECOND)
    begun = result(host, "a")["work_seconds"]
    for move in range(int(1000 / stay_ms)):
        host.toolstack.resources.pin_vcpu("a", 0, (1 + (move + 1) % caches,))
        host.advance(SECOND + int((move + 1) * stay_ms * MS))
    return 1 - (result(host, "a")["work_seconds"] - begun)


# The 512 KiB of an old Xeon, by lines that its programs wait for 140 ns, with 1.5 under way.
FILLED_MS = 512 * 16 * 140e-6 / 1.5


def test_a_domain_that_comes_back_finds_what_it_has_not_written_elsewhere():
    """Two in three lines are only read (`WRITTEN`)."""
    assert lost_by_moves(5) == pytest.approx(FILLED_MS / 3 / 5, rel=0.15)


@pytest.mark.parametrize("caches", [2, 4])
@pytest.mark.parametrize("stay_ms", [0.2, 1])
def test_a_domain_that_is_moved_soon_has_not_fetched_what_it_had_no_time_for(stay_ms, caches):
    """It touches 8000 lines in a millisecond (`TOUCHED`), and waits for no more."""
    waited_ms = 8000 / (512 * 16) * FILLED_MS
    assert 0.1 < lost_by_moves(stay_ms, caches) < waited_ms / (1 + waited_ms)


def misses(*guests, **settings):
    """Return the L2 misses of guest `a` for each second of its work."""
    host = make_host(*guests, **settings)
    host.profiler.oprofile("0").write("0/name", "misses")
    set_counter(host, 0, event=(0x24, 0x70), count=10_000)  # L2_LINES_IN
    begin(host, (0, 1))
    host.advance(2 * SECOND)
    count_now(host)
    samples = sum(one.samples for one in host.telemetry.snapshot().samples if one.domain == "a")
    return samples / result(host, "a")["work_seconds"]


def test_a_neighbour_in_the_same_cache_shows_in_the_misses_of_a_profile():
    """Half of the cache is the root of two times the misses (Hartstein et al., CF 2006)."""
    host: dict[str, Any] = {
        "cpu": "core_2",
        "mhz": 3000,
        "hypervisor": "3.1",
        "cores_per_socket": 4,
    }
    a = domain("a", cpu(), cpus="2")
    alone = misses(a, domain0={"cpus": "0"}, **host)
    beside = misses(a, domain("b", cpu(), cpus="3"), domain0={"cpus": "0"}, **host)
    elsewhere = misses(a, domain("b", cpu(), cpus="1"), domain0={"cpus": "0"}, **host)
    assert beside / alone == pytest.approx(2**0.5, rel=0.05)
    assert elsewhere / alone == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    "host",
    [
        {"cpu": "p4-ht", "sockets": 2, "threads_per_core": 2},
        {"cpu": "core_2", "hypervisor": "3.1", "cores_per_socket": 4, "threads_per_core": 1},
        {"cpu": "hammer", "sockets": 2, "cores_per_socket": 2, "threads_per_core": 1},
    ],
)
def test_a_cache_knows_how_many_of_its_pcpus_and_cores_work(host):
    busy = [domain(name, burst(3, 2), netperf("receive"), vcpus=2) for name in "abc"]
    machine = make_host(*busy, support_limits=False, **host)
    for step in range(1, 200):
        machine.advance(step * MS)
        for cache in machine.execution.speeds._caches:
            working = [one for one in cache.pcpus if one.current is not None]
            cores = {
                min(one.number, one.number if one.sibling is None else one.sibling.number)
                for one in working
            }
            assert (len(working), len(cores)) == (cache.threads, cache.cores)


def test_a_neighbour_in_the_same_cache_slows_a_program_that_fills_it():
    host: dict[str, Any] = {
        "cpu": "core_2",
        "mhz": 3000,
        "hypervisor": "3.1",
        "domain0": {"cpus": "0"},
    }
    guests = [domain(name, cpu(), cpus=cpus) for name, cpus in (("a", "2"), ("b", "3"))]
    alone = work_of(make_host(guests[0], cores_per_socket=4, **host), "a")
    beside = work_of(make_host(*guests, cores_per_socket=4, **host), "a")
    assert alone == pytest.approx(1, rel=0.01)
    assert 0.9 < beside < 0.98


def test_a_guest_far_from_its_memory_is_slower_on_an_opteron():
    """Memory of another socket answers in 1.45 times the time; servers wait a fifth of theirs."""

    def work(pcpu):
        host = make_host(
            domain("a", cpu(program="mysqld"), cpus=str(pcpu), memory_mib=512),
            cpu="hammer", mhz=2400, sockets=2, cores_per_socket=2, memory_mib=8192,
            domain0={"cpus": "0"},
        )  # fmt: skip
        return work_of(host, "a")

    # Xen gives the highest addresses first, which are those of the last socket.
    near, far = work(3), work(1)
    assert near == pytest.approx(1, rel=0.01)
    assert 0.85 < far < 0.95


def test_guests_that_take_turns_each_have_their_own_way_to_memory():
    """Both run the same code on a pcpu of the first socket; the memory of one lies there."""
    settings = {"memory_mib": 6000, "cpus": "1"}
    host = make_host(
        domain("a", cpu(program="mysqld"), **settings),
        domain("b", cpu(program="mysqld"), **settings),
        cpu="hammer", mhz=2400, sockets=2, cores_per_socket=2, memory_mib=16_384,
        domain0={"cpus": "0"}, support_limits=False,
    )  # fmt: skip
    host.advance(10 * SECOND)
    far, near = (result(host, name)["work_seconds"] for name in "ab")
    assert 0.85 < far / near < 0.95


def test_all_memory_is_as_near_on_a_xeon():
    host = make_host(domain("a", cpu()), sockets=2, domain0={"cpus": "0"})
    assert work_of(host, "a") == pytest.approx(1, rel=0.02)


def with_a_stream(*guests, cpu_type, mhz, workload):
    """Return a host of four sockets with one way to memory, on which `a` has a stream or not."""
    return make_host(
        domain("a", *workload, cpus="2", memory_mib=512), *guests,
        cpu=cpu_type, mhz=mhz, sockets=4, cores_per_socket=1,
        domain0={"cpus": "0-1", "memory_mib": 1024},
    )  # fmt: skip


TO_DOMAIN0 = netperf("to", peer="Domain-0")


@pytest.mark.parametrize(("cpu_type", "mhz", "triad"), [("p4", 2400, 2.4), ("p4-ht", 3200, 3.8)])
def test_the_copies_of_a_stream_take_no_more_than_memory_sustains(cpu_type, mhz, triad):
    """A line goes to domain 0 by three copies: fetched and written, read, fetched and written, read.

    STREAM's triad, by which the bandwidth is known, counts three of the four that it moves.
    """
    host = with_a_stream(cpu_type=cpu_type, mhz=mhz, workload=[TO_DOMAIN0])
    host.advance(2 * SECOND)
    copied = result(host, "a")["bits_per_second"] / 8e9
    assert 0.6 * triad < 6 * copied * 3 / 4 < triad


def test_a_stream_between_domains_slows_a_program_that_waits_for_memory():
    """It uses nine tenths of what an old Xeon's memory sustains, and the program waits a quarter."""
    guest = domain("b", cpu(program="mysqld"), cpus="3")
    quiet, loud = (
        work_of(with_a_stream(guest, cpu_type="p4", mhz=2400, workload=workload), "b", 3)
        for workload in ((), (TO_DOMAIN0,))
    )
    assert 0.97 < loud / quiet < 0.995
