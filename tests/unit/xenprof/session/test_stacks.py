"""Call stacks in a session: when they are recorded, and where they are stored."""

from dataclasses import replace

import pytest

from tests.support.fake_host import EPOCH_NS, KERNEL, KERNEL_START, Walker, samples
from tests.support.session_setups import SECOND, SETUP, directory, total
from xenprof.store.stackfile import has_stacks, read_stacks
from xenprof.wire.opcontrol import Setup

DEEP = replace(SETUP, callgraph_depth=8)
PC = KERNEL_START + 0x40


@pytest.fixture
def walker(host):
    host.profiler.drivers[0] = Walker(host.profiler, 0)
    return host.profiler.drivers[0]


def stored(home, session="current"):
    found = read_stacks(directory(home).samples / session)
    return None if found is None else sum(found.totals)


def give(driver, count, stack=1):
    driver.give(samples(*[(KERNEL, PC)] * count, stack_id=stack))


def test_the_depth_is_written_for_the_kernel(sessions, walker):
    sessions.start("Domain-0", DEEP)
    assert ("backtrace_depth", "8") in walker.writes


def test_a_setup_without_depth_turns_the_last_one_off(sessions, walker):
    walker.files["backtrace_depth"] = "8"
    sessions.start("Domain-0", SETUP)
    assert "0" == walker.files["backtrace_depth"]


def test_a_kernel_that_cannot_walk_refuses(sessions, host):
    outcome = sessions.start("Domain-0", DEEP)
    assert (1, ("Call-graph profiling unsupported on this kernel/hardware",)) == (
        outcome.exit_code,
        outcome.stderr,
    )
    assert not host.driver("Domain-0").is_open


def test_a_dump_writes_stacks_beside_the_samples(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.dump("Domain-0")
    assert (5, 5) == (stored(tmp_path), total(tmp_path))


def test_frames_have_the_names_of_their_domains(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 1)
    sessions.dump("Domain-0")
    found = read_stacks(directory(tmp_path).current)
    assert found is not None
    assert ["web", "Domain-0"] == [found.frames[step].domain for step in found.stacks[0]]


def test_the_time_of_the_session_is_told(sessions, host, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    host.advance(3 * SECOND)
    give(walker, 1)
    sessions.dump("Domain-0")
    found = read_stacks(directory(tmp_path).current)
    assert found is not None
    assert (EPOCH_NS, host.now_ns) == (found.start_unix_ns, found.duration_ns)


def test_without_depth_there_are_no_stacks(sessions, walker, tmp_path):
    sessions.start("Domain-0", SETUP)
    give(walker, 5, stack=-1)
    sessions.shutdown("Domain-0")
    assert (None, 5) == (stored(tmp_path), total(tmp_path))


def test_a_reset_deletes_stacks(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.reset("Domain-0")
    give(walker, 2)
    sessions.dump("Domain-0")
    assert (2, 2) == (stored(tmp_path), total(tmp_path))


def test_a_saved_session_keeps_its_stacks(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.save("Domain-0", "before")
    give(walker, 2)
    sessions.shutdown("Domain-0")
    assert (5, 2) == (stored(tmp_path, "before"), stored(tmp_path))


def test_a_session_with_stacks_goes_on_having_all_samples(sessions, walker, tmp_path):
    """Reports read only the stacks: samples without callers are stacks of one frame."""
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.shutdown("Domain-0")
    sessions.start("Domain-0", SETUP)
    give(walker, 3, stack=-1)
    sessions.shutdown("Domain-0")
    assert (8, 8) == (stored(tmp_path), total(tmp_path))


def test_after_a_reset_a_daemon_without_depth_records_none(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.shutdown("Domain-0")
    sessions.start("Domain-0", SETUP)
    sessions.reset("Domain-0")
    give(walker, 3, stack=-1)
    sessions.shutdown("Domain-0")
    assert (None, 3) == (stored(tmp_path), total(tmp_path))


def test_a_reset_without_a_daemon_deletes_stacks(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    give(walker, 5)
    sessions.shutdown("Domain-0")
    sessions.reset("Domain-0", Setup())
    assert not has_stacks(directory(tmp_path).current)


def test_stacks_that_cannot_be_written_are_told(sessions, walker, tmp_path):
    sessions.start("Domain-0", DEEP)
    (directory(tmp_path).current / "stacks").write_text("in the way")
    give(walker, 5)
    outcome = sessions.dump("Domain-0")
    assert 1 == outcome.exit_code
    assert "stacks of 5 samples kept for the next dump" in outcome.stderr[0]


def test_a_renamed_domain_goes_on_in_its_new_place(sessions, host, tmp_path):
    host.profiler.drivers[1] = Walker(host.profiler, 1)
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0,1"))
    sessions.start("web", DEEP)
    (tmp_path / "domains" / "web").rename(tmp_path / "domains" / "shop")
    host.names[1] = "shop"
    sessions.domain_renamed("web", "shop")
    host.profiler.drivers[1].give(samples((KERNEL, PC), domain=1, stack_id=0))
    sessions.dump("shop")
    found = read_stacks(directory(tmp_path, "shop").current)
    assert found is not None
    assert {"shop"} == {frame.domain for frame in found.frames}
