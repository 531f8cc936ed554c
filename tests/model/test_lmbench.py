"""The workload `lmbench`: operations of a guest's kernel, one after the other.

Source of the times: Barham et al., SOSP 2003, tables 3 to 5, at 2.4 GHz under Xen, 32 bit.
"""

import pytest

from hypervisor.errors import ScenarioError
from tests.support.model.hosts import MS, SECOND, domain, make_host, result, seen

TIMES = {"null_call": 0.46e-6, "page_fault": 2.73e-6, "context_switch": 1.97e-6}


def lmbench(test):
    return {"kind": "lmbench", "test": test}


def host_with(*tests, **host):
    return make_host(domain("a", *map(lmbench, tests), cpus="1"), domain0={"cpus": "0"}, **host)


@pytest.mark.parametrize("test", TIMES)
def test_an_operation_takes_what_was_measured(test):
    host = host_with(test, mhz=2400, arch="i386")
    host.advance(200 * MS)
    assert result(host, "a")["operation_seconds"] == pytest.approx(TIMES[test], rel=0.02)


@pytest.mark.parametrize(("test", "native"), [("fork", 110e-6), ("exec", 530e-6), ("sh", 4000e-6)])
def test_what_linux_does_of_an_operation_takes_what_it_does_alone(test, native):
    host = host_with(test, mhz=2400)
    host.advance(SECOND)
    spent, done = seen(host, "a"), result(host, "a")
    assert spent.user_ns is not None and spent.kernel_ns is not None
    took = (spent.user_ns + spent.kernel_ns) / 1e9 / done["operations"]
    assert took == pytest.approx(native, rel=0.05)


@pytest.mark.parametrize("test", TIMES)
def test_operations_fill_the_vcpu(test):
    host = host_with(test)
    host.advance(200 * MS)
    assert seen(host, "a").cpu_ns == pytest.approx(200 * MS, abs=11 * MS)  # it starts within 10 ms


def test_before_the_first_operation_there_is_no_time():
    found = result(host_with("null_call"), "a")
    assert (0, 0.0) == (found["operations"], found["operation_seconds"])


def test_a_switch_goes_to_another_process_each_time():
    host = host_with("context_switch")
    host.advance(100 * MS)
    kernel = seen(host, "a").kernel
    assert kernel is not None and kernel.context_switches is not None
    assert kernel.context_switches >= result(host, "a")["operations"]


def test_a_domain_that_is_destroyed_stops():
    host = host_with("page_fault")
    host.advance(100 * MS)
    host.toolstack.domains.destroy("a")
    host.advance(SECOND)
    assert ["Domain-0"] == [one.name for one in host.telemetry.snapshot().domains]


def test_an_unknown_test_is_refused_with_those_that_there_are():
    with pytest.raises(ScenarioError, match="'null_call', 'null_io'"):
        host_with("fork_bomb")
