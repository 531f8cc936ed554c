"""Each benchmark goes on when its guest is restored, and its counts with it."""

from collections.abc import Mapping

import pytest

from tests.support.model.hosts import domain, make_host, result
from tests.support.model.managing import after, done

SMALL = {"database_mib": 64, "cache_mib": 32}
COUNTS: Mapping[str, tuple[Mapping[str, object], str]] = {
    "oracle": ({"kind": "oltp", "clients": 4, **SMALL}, "transactions"),
    "sybase": ({"kind": "oltp", "clients": 4, "engine": "sybase", **SMALL}, "transactions"),
    "outside": ({"kind": "oltp", "clients_from": "outside", **SMALL}, "transactions"),
    "web": ({"kind": "web", "clients": 3}, "requests"),
    "java": ({"kind": "java", "heap_mib": 32, "rooms": 1}, "messages"),
    "aim7": ({"kind": "aim7", "mix": "compute", "users": 2}, "jobs"),
    "iozone": ({"kind": "iozone", "file_kib": 4096}, "bytes"),
    "linpack": ({"kind": "linpack", "n": 200}, "solutions"),
    "lmbench": ({"kind": "lmbench", "test": "pipe"}, "operations"),
    "build": ({"kind": "build"}, "objects"),
}


@pytest.fixture(params=COUNTS)
def restored(request, tmp_path):
    """Return a host with a restored guest, the count of its benchmark, and what that was before."""
    workload, count = COUNTS[request.param]
    host = make_host(domain("a", workload, memory_mib=192))
    after(host, 1.5)
    before = result(host, "a")[count]
    path = str(tmp_path / "a.save")
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))
    return host, count, before


def test_a_restored_benchmark_counts_on(restored):
    host, count, before = restored
    first = result(host, "a")[count]
    after(host, 1.5)
    assert 0 < before <= first < result(host, "a")[count]


def saved_and_restored(workload, tmp_path, seconds):
    host = make_host(domain("a", workload, memory_mib=192))
    after(host, seconds)
    path = str(tmp_path / "a.save")
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))
    after(host, seconds)
    return result(host, "a")


def test_jobs_are_the_tests_that_are_told_of_one_by_one_over_a_save_too(tmp_path):
    found = saved_and_restored({"kind": "aim7", "mix": "compute", "users": 2}, tmp_path, 2)
    assert found["jobs"] == sum(found["tests"].values()) > 0


def test_rates_of_phases_are_their_bytes_by_their_seconds_over_a_save_too(tmp_path):
    found = saved_and_restored({"kind": "iozone", "file_kib": 4096}, tmp_path, 1)
    kib_per_second = found["write_bytes"] / 1024 / found["write_seconds"]
    assert found["write_kib_per_second"] == pytest.approx(kib_per_second)


def test_the_hit_ratio_is_of_the_reads_that_were_counted_over_a_save_too(tmp_path):
    workload = {"kind": "oltp", "database_mib": 256, "cache_mib": 32}
    found = saved_and_restored(workload, tmp_path, 2)
    missed = found["physical_reads"] / found["logical_reads"]
    assert found["cache_hit_ratio"] == 1 - missed
    assert 0 < missed < 0.5
