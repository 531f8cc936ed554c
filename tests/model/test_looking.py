"""Looking at a host changes nothing: no later event, no sample, no counter."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.model.machine import Machine
from tests.support.measured import measured
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    result,
    seen,
)
from tests.support.model.profiling import begin, set_counter, xenoprof_now
from xenprof.cli.run_sessions import Run

END_NS = 1_300 * MS
EVENTS = ("GLOBAL_POWER_EVENTS:90000", "INSTR_RETIRED:120000:1")


def busy_host():
    """Return a host whose threads change speed, with an active, a passive and another guest."""
    return make_host(
        domain("active", cpu(), burst(1, 3), netperf("receive", rate_bits_per_second=30_000_000)),
        domain("passive", fileio(rate_per_second=400), burst(2, 2)),
        domain("other", burst(0.7, 1.1, jitter=0.3), vcpus=2),
        domain0={"vcpus": 2, "memory_mib": 256},
        cpu="p4-ht",
        cores_per_socket=1,
        threads_per_core=2,
    )


def look(host: Machine) -> None:
    host.telemetry.snapshot()
    host.toolstack.views.proc("active", "stat")


def profile(home: Path, looks_ns=(), *, depth=0):
    """Return all files of a profiled run, and the host at its end, after looks at `looks_ns`."""
    host = busy_host()
    run = Run(host, home)
    run.follow_domains()
    run.start_profiling(EVENTS, "0,1", "2", depth)
    for at_ns in sorted(looks_ns):
        run.advance(at_ns)
        look(host)
    run.advance(END_NS)
    run.stop_profiling()
    run.close()
    files = {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    return files, replace(host.telemetry.snapshot(), generation=0)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return profile(tmp_path_factory.mktemp("alone"))


def difference(one, other):
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


ODD_TIMES_NS = range(7_654_321, END_NS, 7_654_321)


def test_a_run_that_is_looked_at_has_the_same_sample_files(alone, tmp_path):
    files, _ = profile(tmp_path, ODD_TIMES_NS)
    assert any("/samples/current/" in name and "{kern}" in name for name in files)
    assert [] == difference(alone[0], files)


def test_a_run_that_is_looked_at_ends_as_one_that_is_not(alone, tmp_path):
    _, snapshot = profile(tmp_path, ODD_TIMES_NS)
    assert alone[1] == snapshot


def test_so_it_is_where_call_stacks_are_recorded(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files, snapshot = profile(tmp_path / "a", depth=8)
    looked_at, end = profile(tmp_path / "b", ODD_TIMES_NS, depth=8)
    assert ([], snapshot) == (difference(files, looked_at), end)


@pytest.mark.no_cover
@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, END_NS), max_size=20))
def test_it_does_not_matter_when_it_is_looked_at(alone, looks_ns):
    with TemporaryDirectory() as folder:
        files, snapshot = profile(Path(folder), looks_ns)
    assert ([], alone[1]) == (difference(alone[0], files), snapshot)


def test_two_looks_at_one_moment_see_the_same():
    host = busy_host()
    set_counter(host)
    begin(host, (0, 1), (2,))
    host.advance(333_333_333)
    one, two = host.telemetry.snapshot(), host.telemetry.snapshot()
    assert replace(one, generation=0) == replace(two, generation=0)


def test_a_look_is_exact_in_the_middle_of_a_segment():
    host = make_host(domain("a", cpu(), cpus="1"))
    host.advance(SECOND)
    before, done_before = seen(host, "a"), result(host, "a")["work_seconds"]
    host.advance(SECOND + 123_457)
    after, done = seen(host, "a"), result(host, "a")["work_seconds"]
    assert 123_457 == measured(after.cpu_ns) - measured(before.cpu_ns)
    by_mode = (after.user_ns, after.kernel_ns, after.hypervisor_ns)
    assert after.cpu_ns == sum(spent_ns or 0 for spent_ns in by_mode)
    assert (done - done_before) * SECOND == pytest.approx(123_457, rel=0.02)


def test_a_look_counts_no_samples():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(110 * MS)
    looked_at = host.telemetry.snapshot().xenoprof
    assert looked_at is not None
    assert (0, True) == (looked_at.total, xenoprof_now(host).total > 1000)


def test_a_look_at_proc_is_as_exact_as_a_snapshot():
    host = make_host(domain("a", cpu(), cpus="1"), cores_per_socket=2)
    host.advance(2 * SECOND + 345 * MS)
    user, nice, system = map(
        int, host.toolstack.views.proc("a", "stat").splitlines()[0].split()[1:4]
    )
    running = host.telemetry.snapshot().domains[1].vcpus[0].running_ns
    assert (user + nice + system) * 10 * MS == pytest.approx(running, abs=20 * MS)
