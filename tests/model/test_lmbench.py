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


def switched(processes, working_kib, **host):
    test = lmbench("context_switch") | {"processes": processes, "working_kib": working_kib}
    made = make_host(domain("a", test, cpus="1"), domain0={"cpus": "0"}, mhz=2400, **host)
    made.advance(200 * MS)
    return result(made, "a")["operation_seconds"]


def test_arrays_that_stay_in_the_cache_add_little_to_a_switch():
    assert 0 < switched(2, 16) - switched(2, 0) < 0.2e-6


def test_arrays_that_do_not_fit_the_cache_are_fetched_from_memory():
    """64 KiB of 64 bytes each, 140 ns, five under way at a time."""
    assert switched(8, 64) - switched(8, 0) == pytest.approx(1024 * 140e-9 / 5, rel=0.1)


def test_what_fits_depends_on_the_processors_cache():
    assert switched(8, 64, cpu="core_2") < 0.2 * switched(8, 64)


def test_a_message_through_a_pipe_goes_to_another_process():
    host = host_with("pipe")
    host.advance(100 * MS)
    kernel = seen(host, "a").kernel
    assert kernel is not None and kernel.context_switches is not None
    assert kernel.context_switches >= result(host, "a")["operations"] > 1000


def test_mapping_a_file_takes_its_faults():
    """8 MiB, of which lmbench touches a tenth, a word every 16 KiB."""
    host = host_with("mmap", "page_fault", mhz=2400, arch="i386")
    host.advance(200 * MS)
    mapped, fault = (result(host, "a", number)["operation_seconds"] for number in (0, 1))
    assert mapped / fault == pytest.approx(52, rel=0.05)


@pytest.mark.parametrize("given", [{"processes": 4}, {"working_kib": 16}])
def test_processes_are_those_of_context_switches(given):
    with pytest.raises(ScenarioError, match="processes and working_kib are for test = 'context"):
        make_host(domain("a", lmbench("fork") | given))


def test_a_single_process_has_nobody_to_switch_to():
    with pytest.raises(ScenarioError, match="2"):
        switched(1, 0)
