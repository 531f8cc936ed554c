"""Sizes of the kernel's buffers: what call stacks need, and what the user has asked for."""

from dataclasses import replace

import pytest

from tests.support.fake_host import SIZES, Walker
from tests.support.session_setups import SETUP
from xenprof.events import EventSetting
from xenprof.session.buffers import Load, sized
from xenprof.wire.opcontrol import Setup

CYCLES = EventSetting("GLOBAL_POWER_EVENTS", 100_000, 1)
ALONE = Load(mhz=3200, vcpus=1, passive_vcpus=0, pcpus=4)
WITH_PASSIVE = Load(mhz=3200, vcpus=2, passive_vcpus=2, pcpus=4)


def setup(depth=16, **sizes):
    return Setup(events=(CYCLES,), callgraph_depth=depth, **sizes)


def test_without_stacks_the_kernels_sizes_stay():
    assert setup(0) == sized(setup(0), WITH_PASSIVE)


def test_a_cpu_buffer_holds_the_samples_of_two_syncs_with_all_callers():
    """3200 samples come in 100 ms, each takes 18 entries with 16 callers."""
    assert 2 * 3200 * 18 <= sized(setup(), ALONE).cpu_buffer_size <= 4 * 3200 * 18


def test_passive_samples_come_through_one_cpu_buffer_of_domain_0():
    assert 2 * 3 * 3200 * 18 <= sized(setup(), WITH_PASSIVE).cpu_buffer_size


def test_an_event_buffer_holds_a_second_and_wakes_the_daemon_at_a_quarter():
    found = sized(setup(), ALONE)
    assert 2 * 32_000 * 18 <= found.buffer_size
    assert found.buffer_size // 4 == found.buffer_size - found.buffer_watershed


def test_buffers_grow_with_the_rate_and_the_depth():
    slow = replace(setup(), events=(replace(CYCLES, count=1_000_000),))
    sizes = [sized(each, ALONE).cpu_buffer_size for each in (slow, setup(), setup(64))]
    assert sorted(set(sizes)) == sizes


def test_no_buffer_is_smaller_than_the_kernels():
    rare = Setup(events=(replace(CYCLES, count=10**9),), callgraph_depth=1)
    found = sized(rare, ALONE)
    assert (131072, 8192) == (found.buffer_size, found.cpu_buffer_size)


@pytest.mark.parametrize("name", ["buffer_size", "cpu_buffer_size", "buffer_watershed"])
def test_what_the_user_gave_stays(name):
    assert 999 == getattr(sized(setup(**{name: 999}), ALONE), name)


def test_the_watershed_of_a_given_buffer_is_the_kernels():
    assert 0 == sized(setup(buffer_size=60_000), ALONE).buffer_watershed


def test_the_kernel_has_its_sizes_back_after_a_daemon_with_stacks(sessions, host):
    walker = host.profiler.drivers[0] = Walker(host.profiler, 0)
    sessions.start("Domain-0", replace(SETUP, callgraph_depth=8))
    during = {name: walker.read(name) for name in SIZES}
    sessions.shutdown("Domain-0")

    assert int(during["cpu_buffer_size"]) > 8192
    assert {name: walker.read(name) for name in SIZES} == SIZES


def test_sizes_that_are_for_once_do_not_stay(sessions, host):
    sizes = replace(SETUP, buffer_size=900, buffer_watershed=300, cpu_buffer_size=500)
    sessions.start("Domain-0", replace(sizes, sizes_are_for_once=True))
    driver = host.driver("Domain-0")
    during = [driver.read(name) for name in SIZES]
    sessions.shutdown("Domain-0")
    assert ["900", "300", "500"] == during
    assert {name: driver.read(name) for name in SIZES} == SIZES


def test_sizes_that_are_for_once_do_not_stay_when_the_daemon_is_refused(sessions, host):
    refused = replace(SETUP, cpu_buffer_size=500, active_domains="9", sizes_are_for_once=True)
    assert 0 != sessions.start_daemon("Domain-0", refused).exit_code
    assert SIZES["cpu_buffer_size"] == host.driver("Domain-0").read("cpu_buffer_size")


def test_sizes_that_were_asked_for_stay_as_on_the_real_kernel(sessions, host):
    sessions.start("Domain-0", replace(SETUP, cpu_buffer_size=500))
    sessions.shutdown("Domain-0")
    assert "500" == host.driver("Domain-0").read("cpu_buffer_size")
