"""The workload `oltp`: transactions, the buffer cache, group commit, the database writer."""

import math
import random

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import Scenario
from hypervisor.model.workloads.idle import Idle
from hypervisor.model.workloads.oltp.buffercache import MILLION, misses_per_million
from hypervisor.model.workloads.oltp.files import Files
from hypervisor.model.workloads.oltp.log import Log
from hypervisor.model.workloads.oltp.processes import Processes
from hypervisor.model.workloads.oltp.transactions import KINDS
from tests.support.model.exits import path_ns
from tests.support.model.hosts import HOST, MS, SECOND, domain, make_host, result, seen

SMALL = {"database_mib": 64, "cache_mib": 64}  # all of it is in the cache


def oltp(**given):
    return {"kind": "oltp", **given}


def ran(seconds=2, cpus="1", **given):
    guest = domain("a", oltp(**given), memory_mib=512, cpus=cpus)
    host = make_host(guest, domain0={"cpus": "0"})
    host.advance(round(seconds * SECOND))
    return host


@pytest.fixture(scope="module")
def cached():
    """A database without reads that miss, and without writes: all its time is computing."""
    return ran(**SMALL, read_only=True)


@pytest.fixture(scope="module")
def usual():
    return ran(4, clients=16)


def test_a_transaction_takes_0_7_to_1_ms_of_a_p4(cached):
    """Without what Xen has of it, as the published range is of Linux alone."""
    spent, done = seen(cached, "a"), result(cached, "a")["transactions"]
    assert spent.user_ns is not None and spent.kernel_ns is not None
    assert 0.65 < (spent.user_ns + spent.kernel_ns) / MS / done < 1


@pytest.mark.parametrize(
    ("cpu", "mhz", "least_ms", "most_ms"),
    [("core_2", 3000, 0.35, 0.48), ("hammer", 2400, 0.5, 0.7)],
)
def test_it_takes_as_long_on_other_processors_as_is_known_of_them(cpu, mhz, least_ms, most_ms):
    """0.4 ms on Woodcrest, 0.6 on an Opteron of 2.4 GHz."""
    host = make_host(
        domain("a", oltp(**SMALL, read_only=True), memory_mib=512, cpus="1"),
        domain0={"cpus": "0"}, cpu=cpu, mhz=mhz, hypervisor="3.1",
    )  # fmt: skip
    host.advance(SECOND)
    spent, done = seen(host, "a"), result(host, "a")["transactions"]
    assert spent.user_ns is not None and spent.kernel_ns is not None
    assert least_ms < (spent.user_ns + spent.kernel_ns) / MS / done < most_ms


def test_transactions_are_those_of_tpc_c(cached):
    assert sum(kind.share for kind in KINDS) == 100
    assert sum(kind.share * kind.cycles_percent for kind in KINDS) == pytest.approx(
        100**2, rel=0.02
    )
    redo = sum(kind.share * kind.redo_bytes for kind in KINDS) / 100
    assert 2048 < redo < 3072
    assert 1 <= sum(kind.share * kind.dirtied_pages for kind in KINDS) / 100 <= 3


def test_43_to_45_of_a_hundred_are_new_orders():
    done = result(ran(**SMALL, clients=32), "a")
    assert done["new_orders"] / done["transactions"] == pytest.approx(0.44, abs=0.06)


def test_nothing_is_written_where_nothing_changes(cached):
    done = result(cached, "a")
    assert [done[key] for key in ("log_writes", "data_writes", "new_orders")] == [0, 0, 0]
    assert done["transactions"] > 2000


def test_a_rate_is_transactions_by_time(cached):
    done = result(cached, "a")
    assert done["transactions_per_minute"] == pytest.approx(30 * done["transactions"])


# The buffer cache.


def test_20_percent_of_the_rows_have_84_percent_of_the_accesses():
    """Leutenegger and Dias, SIGMOD 1993, of single rows; here the hottest of 2^13."""
    shares = sorted(
        (0.75**ones * 0.25 ** (13 - ones) for row in range(2**13) for ones in [row.bit_count()]),
        reverse=True,
    )
    assert sum(shares[: 2**13 // 5]) == pytest.approx(0.84, abs=0.01)


def test_misses_fall_with_the_cache_and_end_with_it():
    misses = [misses_per_million(100_000, pages, 8) for pages in (1000, 10_000, 50_000, 100_000)]
    assert misses == sorted(misses, reverse=True)
    assert misses[-1] == 0
    assert misses[0] > 0.9 * MILLION


def test_a_page_that_nobody_prefers_is_missed_as_often_as_it_is_not_in_the_cache():
    assert misses_per_million(100_000, 30_000, 0) == pytest.approx(0.7 * MILLION, rel=0.001)


def test_physical_reads_are_the_reads_by_chance_that_miss():
    done = result(ran(8, clients=16, database_mib=1024, cache_mib=256, read_only=True), "a")
    misses = misses_per_million(131_072, 32_768, 8) / MILLION
    due = sum(kind.share * kind.reads for kind in KINDS) / 100 * misses
    assert done["physical_reads"] / done["transactions"] == pytest.approx(due, rel=0.15)
    assert 0.5 < due < 5  # what such benchmarks have


def test_before_anything_was_read_nothing_is_said_of_hits():
    host = make_host(domain("a", oltp(**SMALL)))
    host.advance(1)
    assert "cache_hit_ratio" not in result(host, "a")


# The log.


def fast_disk(**given):
    """Return a database on an array whose cache takes each write in about half a millisecond."""
    guest = domain("a", oltp(**SMALL, **given), memory_mib=512, vcpus=2)
    tables = {
        "host": dict(HOST) | {"cores_per_socket": 4, "store": [{"name": "san", "kind": "fc"}]},
        "domain": [guest | {"disk": ["phy:/dev/san/a,xvda,w"]}],
    }
    host = build(Scenario.model_validate(tables), epoch_ns=0)
    host.advance(2 * SECOND)
    return result(host, "a")


def test_one_client_commits_with_a_write_of_its_own():
    done = fast_disk(clients=1)
    assert done["commits"] == done["log_writes"]


def test_what_comes_while_a_write_is_under_way_goes_with_the_next():
    done = fast_disk(clients=64)
    assert done["commits"] > 2 * done["log_writes"]


class Client:
    def __init__(self):
        self.answered = 0

    def committed(self):
        self.answered += 1


def log_on(host):
    """Return the log of a database with a process of its own in the guest."""
    idle = host.hypercalls.residents[1].programs.running[0]
    assert isinstance(idle, Idle)
    site = idle._site
    process = site.guest.spawn("/bin/bash")[0]
    return Log(site, Files(site, 64, 8192), Processes(site), process, "oracle_log", 512)


def test_all_redo_is_written_however_many_commit_at_once():
    """A write takes 1 MiB at most; who does not go with it goes with the next."""
    host = make_host(domain("a", {"kind": "idle"}))
    log, client = log_on(host), Client()
    for _ in range(512):
        log.commit(3600, client)
    host.advance(10 * SECOND)
    assert (client.answered, log.commits) == (512, 512)
    assert log.bytes >= 512 * 3600
    assert log.writes == 3  # the first alone


@pytest.mark.parametrize("rate_per_second", [20, 200, 800])
def test_commits_for_each_write_are_those_of_a_group(rate_per_second):
    """Those that come by chance while a write is under way, or one alone: r L + exp(-r L)."""
    host = make_host(domain("a", {"kind": "idle"}), domain0={"cpus": "0"}, cores_per_socket=4)
    log = log_on(host)
    draw = random.Random(1)

    def commit(_):
        log.commit(2500, Client())
        later_ns = round(draw.expovariate(rate_per_second) * SECOND)
        host.hypercalls.clock.schedule(host.now_ns + later_ns, commit)

    commit(None)
    host.advance(20 * SECOND)
    arrivals = log.commits / 20 * log.latency.sum_ns / log.latency.count / 1e9
    group = log.commits / log.writes
    assert group == pytest.approx(arrivals + math.exp(-arrivals), rel=0.05)


def test_the_log_is_written_in_whole_blocks():
    for engine, block in (("oracle", 512), ("sybase", 2048)):
        done = fast_disk(clients=4, engine=engine)
        assert done["log_bytes"] % block == 0
        assert done["log_bytes"] >= 2048 * done["commits"]


def test_the_database_writer_writes_what_transactions_change(usual):
    done = result(usual, "a")
    assert done["data_writes"] > 64
    assert done["data_writes"] < 3 * done["transactions"]


# Engines.


def test_an_engine_without_work_looks_for_it_before_it_sleeps():
    """A client that thinks for a second leaves both engines 5 ms to look, now and then."""
    waiting = {"clients": 1, "think_ms": 100, **SMALL}
    spent = [seen(ran(2, engine=engine, **waiting), "a").cpu_ns for engine in ("oracle", "sybase")]
    assert spent[0] is not None and spent[1] is not None
    assert spent[1] > 2 * spent[0]


def test_engines_need_fewer_switches_than_processes():
    switches = []
    for engine in ("oracle", "sybase"):
        host = ran(1, engine=engine, clients=16, **SMALL, read_only=True)
        kernel = seen(host, "a").kernel
        assert kernel is not None and kernel.context_switches is not None
        switches.append(kernel.context_switches / result(host, "a")["transactions"])
    assert switches[1] < switches[0]


@pytest.mark.parametrize(("engine", "program"), [("oracle", "oracle"), ("sybase", "dataserver")])
def test_a_database_executes_no_code_of_another(engine, program):
    host = ran(3, engine=engine, clients=16, **SMALL)
    spent = path_ns(host, 1)
    paths = {path.name: path.program for path in host.code.paths}
    executed = {paths[name] for name, ns in spent.items() if ns} - {None}
    assert {program} == {path.rpartition("/")[2] for path in executed if path is not None}


def test_an_engine_runs_on_one_vcpu_at_a_time():
    """The log and the writer are work of the engines, too."""
    guest = domain("a", oltp(engine="sybase", clients=32, **SMALL), vcpus=2, memory_mib=512)
    host = make_host(guest, domain0={"cpus": "0"}, cores_per_socket=4)
    vcpus = host.hypercalls.residents[1].domain.vcpus
    twice = 0
    while host.now_ns < SECOND:
        host.advance(host.now_ns + MS // 20)
        running = [one.current.task for one in vcpus if one.is_running and one.current is not None]
        programs = [task for task in running if task.tgid]
        twice += len(programs) > len({task.tid for task in programs})
    assert twice == 0


# Clients outside.


def test_each_call_of_a_client_outside_is_a_packet_each_way():
    host = ran(1, clients=4, clients_from="outside", **SMALL, read_only=True)
    interface = seen(host, "a").vifs[0]
    done = result(host, "a")["transactions"]
    assert done > 500
    assert interface.receive_packets is not None
    assert interface.receive_packets / done == pytest.approx(5, rel=0.05)


def test_domain_0_runs_it_too():
    host = make_host(domain0={"workload": [oltp(**SMALL)], "memory_mib": 512})
    host.advance(SECOND)
    assert result(host, "Domain-0")["transactions"] > 10


def test_a_domain_that_is_destroyed_stops():
    host = ran(1, clients=8, engine="sybase")
    host.toolstack.domains.destroy("a")
    host.advance(2 * SECOND)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"engine": "db2"}, "'oracle' or 'sybase'"),
        ({"clients": 0}, "greater than or equal to 1"),
        ({"database_mib": 7000}, "less than or equal to 6144"),
        ({"clients_from": "home"}, "'here' or 'outside'"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_allowed(given, text):
    with pytest.raises(ScenarioError, match=text):
        make_host(domain("a", oltp(**given)))


def test_a_database_needs_a_disk():
    with pytest.raises(ScenarioError, match="an oltp workload needs a disk"):
        make_host(domain("a", oltp(), disk=[]))
