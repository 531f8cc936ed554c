"""The workload `build`: compiles objects of a kernel.

Source: Barham et al., SOSP 2003, figure 3: 263 s alone and 271 s under Xen, at 2.4 GHz; 7 % of the
time of the former in the kernel.
"""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.build import OBJECT_BYTES, OBJECTS, SOURCE_BYTES
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, domain, make_host, result, seen


def built(jobs=1, seconds=10, **host):
    made = make_host(
        domain("a", {"kind": "build", "jobs": jobs}, memory_mib=256, vcpus=2, cpus="1-2"),
        domain0={"cpus": "0"},
        mhz=2400, cores_per_socket=4, **host,
    )  # fmt: skip
    made.advance(seconds * SECOND)
    return made


@pytest.fixture(scope="module")
def alone():
    return built()


def test_a_kernel_takes_about_as_long_as_was_measured(alone):
    assert OBJECTS * 10 / result(alone, "a")["objects"] == pytest.approx(271, rel=0.05)


def test_seven_percent_of_what_is_not_xens_is_the_kernels():
    spent = seen(built(arch="i386"), "a")
    assert spent.user_ns is not None and spent.kernel_ns is not None
    assert spent.kernel_ns / (spent.user_ns + spent.kernel_ns) == pytest.approx(0.07, abs=0.01)


def test_two_jobs_use_two_vcpus(alone):
    twice = 2 * result(alone, "a")["objects"]
    assert result(built(2), "a")["objects"] == pytest.approx(twice, rel=0.1)


def test_a_domain_that_is_destroyed_stops():
    host = built(seconds=1)
    host.toolstack.domains.destroy("a")
    host.advance(2 * SECOND)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


def written(seconds=20, memory_mib=512, **host):
    made = make_host(
        domain("a", {"kind": "build", "writes_objects": True}, memory_mib=memory_mib, cpus="1"),
        domain0={"cpus": "0"}, mhz=2400, **host,
    )  # fmt: skip
    made.advance(seconds * SECOND)
    return made


def test_sources_are_read_and_objects_written():
    host = written(40)
    objects, vbd = result(host, "a")["objects"], seen(host, "a").vbds[0]
    assert measured(vbd.read_bytes) == pytest.approx(objects * SOURCE_BYTES, rel=0.05)
    assert measured(vbd.write_bytes) > 0.2 * objects * OBJECT_BYTES  # what is older than 30 s


def test_files_cost_a_build_little():
    without = result(built(seconds=20, cpu="p4"), "a")["objects"]
    assert 0.9 * without < result(written(20), "a")["objects"] < 1.01 * without


def test_it_runs_in_domain_0_too():
    host = make_host(domain0={"workload": [{"kind": "build", "writes_objects": True}]})
    host.advance(5 * SECOND)
    assert result(host, "Domain-0")["objects"] > 15


def test_files_need_a_disk():
    with pytest.raises(ScenarioError, match="build workload needs a disk"):
        make_host(domain("a", {"kind": "build", "writes_objects": True}, disk=[]))
