"""The workload `linpack`: LU of a matrix, in the cache or streamed from memory.

Source of the rates: published ranges for Fortran on a 3.2 GHz Xeon: 600 to 1200 MFLOP/s while the
matrix is in the cache, 300 to 500 while it is not.
"""

from math import isqrt

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.linpack import flops_of, phases
from tests.support.model.hosts import MS, SECOND, domain, make_host, result, seen

L2_KIB = 2048  # of a 3.2 GHz Xeon with 800 MHz bus


def linpack(n, **given):
    return {"kind": "linpack", "n": n, **given}


def solved(n, cpu="p4-ht", seconds=2, **given):
    host = make_host(domain("a", linpack(n, **given), cpus="1"), domain0={"cpus": "0"}, cpu=cpu)
    host.advance(seconds * SECOND)
    return host


@pytest.mark.parametrize(
    ("n", "least", "most"), [(100, 600, 1200), (350, 600, 1200), (2000, 300, 500)]
)
def test_the_rate_is_in_the_range_that_was_published(n, least, most):
    assert least < result(solved(n), "a")["mflops"] < most


def test_a_system_takes_two_thirds_of_the_cube_of_its_size():
    done = result(solved(200), "a")
    assert done["flops"] / (done["solutions"] + 0.5) == pytest.approx(2 * 200**3 / 3, rel=0.01)


@pytest.mark.parametrize("n", [10, 127, 128, 129, 511, 512, 513, 3000])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_phases_have_all_operations_of_a_system(n, precision):
    assert flops_of(n) == sum(flops for _, flops in phases(n, precision, L2_KIB))


def test_what_fits_the_cache_is_never_streamed():
    fitting = isqrt(L2_KIB * 1024 // 8)
    assert all("cached" in path for path, _ in phases(fitting, "double", L2_KIB))


def test_of_a_larger_matrix_all_is_streamed_until_the_rest_fits():
    fitting = isqrt(L2_KIB * 1024 // 8)
    streamed = dict(phases(1000, "double", L2_KIB))["linpack_streamed"]
    assert streamed == flops_of(1000) - flops_of(fitting)


def test_numbers_of_half_the_size_need_half_the_memory():
    assert (
        result(solved(2000, precision="single"), "a")["mflops"]
        > 1.2 * (result(solved(2000), "a")["mflops"])
    )


def test_threads_on_vcpus_of_their_own_add_up_while_they_stay_in_their_caches():
    def rate(threads):
        host = make_host(
            domain("a", linpack(200, threads=threads), vcpus=2, cpus="1-2"),
            domain0={"cpus": "0"}, cpu="p4-ht", cores_per_socket=4,
        )  # fmt: skip
        host.advance(2 * SECOND)
        return result(host, "a")["mflops"]

    assert rate(2) == pytest.approx(2 * rate(1), rel=0.03)


def test_four_that_stream_wait_for_the_memory():
    def rate(threads):
        host = make_host(
            domain("a", linpack(1500, threads=threads), vcpus=4, cpus="1-4", memory_mib=512),
            domain0={"cpus": "0"}, cpu="p4-ht", sockets=5, cores_per_socket=1,
        )  # fmt: skip
        host.advance(4 * SECOND)
        return result(host, "a")["mflops"]

    assert rate(4) < 3.3 * rate(1)


def test_operations_of_a_system_that_is_not_solved_yet_are_counted():
    host = solved(3000, seconds=1)
    done = result(host, "a")
    assert 0 == done["solutions"]
    assert done["flops"] == pytest.approx(0.36e9, rel=0.1)


def test_nearly_all_of_the_time_is_the_programs():
    spent = seen(solved(500), "a")
    assert spent.user_ns is not None and spent.cpu_ns is not None
    assert spent.user_ns / spent.cpu_ns > 0.97


def test_it_runs_in_domain_0_too():
    host = make_host(domain0={"workload": [linpack(200)]})
    host.advance(500 * MS)
    assert result(host, "Domain-0")["mflops"] > 600


@pytest.mark.parametrize(
    ("bad", "allowed"),
    [({"n": 9}, "10"), ({"n": 30_001}, "30000"), ({"precision": "half"}, "'single' or 'double'")],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(bad, allowed):
    with pytest.raises(ScenarioError, match=allowed):
        make_host(domain("a", linpack(**({"n": 100} | bad))))
