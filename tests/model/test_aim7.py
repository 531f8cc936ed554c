"""The workload `aim7`: its lists of tests, what they do, and what it reports.

Source of weights, counts and file sizes: AIM7's workfiles and source. Shares of the system are what
is said of the mixes: compute 5 to 8 %, shared 25 to 35 %, fserver 40 to 60 % with its I/O.
"""

from collections import Counter

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.timing.random_stream import RandomStream
from hypervisor.model.workloads.aim7.mixes import MIXES
from hypervisor.model.workloads.aim7.tests import FILES, OPERATIONS
from hypervisor.model.workloads.aim7.user import LIST_TESTS, Deck
from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, domain, make_host, result, seen

WEIGHTS = {"shared": 780, "compute": 820, "fserver": 595, "dbase": 550}
SYNCED = ("sync_disk_cp", "sync_disk_rw", "sync_disk_wrt", "sync_disk_update")


def aim7(mix="compute", **given):
    return {"kind": "aim7", "mix": mix, **given}


def ran(mix, users=20, seconds=5, **host):
    made = make_host(
        domain("a", aim7(mix, users=users), memory_mib=1024, cpus="1"),
        domain0={"cpus": "0"}, cpu="p4-ht", **({"memory_mib": 4096} | host),
    )  # fmt: skip
    made.advance(seconds * SECOND)
    return made


@pytest.mark.parametrize(("mix", "total"), WEIGHTS.items())
def test_weights_add_up_to_those_of_the_workfile(mix, total):
    assert total == sum(MIXES[mix].weights.values())


@pytest.mark.parametrize(("mix", "synced"), [("dbase", 0.11), ("fserver", 0.025)])
def test_synchronous_tests_are_as_many_as_was_counted(mix, synced):
    weights = MIXES[mix].weights
    found = sum(weights.get(test, 0) for test in SYNCED) / sum(weights.values())
    assert found == pytest.approx(synced, abs=0.002)


@pytest.mark.parametrize("mix", MIXES)
def test_every_test_of_a_mix_is_known(mix):
    assert MIXES[mix].weights.keys() <= OPERATIONS.keys() | FILES.keys()


def test_files_share_a_pool_with_those_of_other_users():
    assert (10 + 20) * 2**20 == MIXES["fserver"].file_bytes(1)
    assert (10 + 1) * 2**20 == MIXES["fserver"].file_bytes(20)


@pytest.mark.parametrize("mix", MIXES)
def test_a_list_has_the_tests_in_the_proportions_of_the_mix(mix):
    deck = Deck(MIXES[mix], RandomStream(1, "lists"))
    counted = Counter(deck.deal())
    total = WEIGHTS[mix]
    assert LIST_TESTS == sum(counted.values())
    assert all(
        abs(counted[test] - weight * LIST_TESTS / total) < 1
        for test, weight in MIXES[mix].weights.items()
    )


def test_lists_are_in_different_orders():
    deck = Deck(MIXES["shared"], RandomStream(1, "lists"))
    assert deck.deal() != deck.deal()


def test_jobs_a_minute_are_tests_by_the_time_since_the_start():
    done = result(ran("compute"), "a")
    assert done["jobs_per_minute"] == pytest.approx(done["jobs"] * 60 / 5, rel=0.01)


def test_jobs_are_the_tests_that_are_told_of_one_by_one():
    done = result(ran("compute"), "a")
    assert done["jobs"] == sum(done["tests"].values())


def test_each_list_has_a_hundred_jobs():
    done = result(ran("compute", users=2, seconds=15), "a")
    assert 0 <= done["jobs"] - LIST_TESTS * done["lists"] < 2 * LIST_TESTS
    assert done["lists"] > 0


@pytest.mark.parametrize(
    ("mix", "users", "least", "most"),
    [("compute", 100, 0.04, 0.13), ("shared", 20, 0.2, 0.4), ("fserver", 20, 0.4, 0.7)],
)
def test_the_system_has_the_share_that_is_said_of_the_mix(mix, users, least, most):
    spent = seen(ran(mix, users, seconds=20), "a")
    system = 1 - measured(spent.user_ns) / measured(spent.cpu_ns)
    assert least < system < most


def test_a_test_of_dbase_takes_as_long_as_was_measured():
    """5.9 ms on a Xeon of 2012, 2.5 to 3.5 times that on a P4 of 3.2 GHz."""
    host = make_host(
        domain0={"workload": [aim7("dbase", users=50)]}, hypervisor="none", cpu="p4-ht"
    )
    host.advance(20 * SECOND)
    took = measured(seen(host, "Domain-0").cpu_ns) / 1e6 / result(host, "Domain-0")["jobs"]
    assert 2.5 * 5.9 < took < 3.5 * 5.9


def test_disk_tests_read_and_write_the_disk():
    host = ran("fserver", seconds=20)
    vbd = seen(host, "a").vbds[0]
    assert measured(vbd.read_bytes) > 10_000_000
    assert measured(vbd.write_bytes) > 10_000_000


def test_synchronous_tests_wait_for_the_disk():
    """10 000 turns a minute without a write cache: 1000 writes take 6 s at least."""
    done = result(ran("dbase", users=1, seconds=20), "a")["tests"]
    assert sum(done.get(test, 0) for test in SYNCED) <= 20 / 6


def test_it_runs_in_domain_0_too():
    host = make_host(domain0={"workload": [aim7(users=2)]})
    host.advance(SECOND)
    assert result(host, "Domain-0")["jobs"] > 5


def test_a_domain_that_is_destroyed_stops():
    host = ran("shared", seconds=1)
    host.toolstack.domains.destroy("a")
    host.advance(host.now_ns + 500 * MS)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


@pytest.mark.parametrize(
    ("bad", "allowed"),
    [
        ({"mix": "oltp"}, "'shared', 'compute', 'fserver' or 'dbase'"),
        ({"users": 0}, "1"),
        ({"users": 1001}, "1000"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(bad, allowed):
    with pytest.raises(ScenarioError, match=allowed):
        make_host(domain("a", {"kind": "aim7"} | bad))


def test_it_needs_a_disk():
    with pytest.raises(ScenarioError, match="aim7 workload needs a disk"):
        make_host(domain("a", aim7(), disk=[]))
