"""The workload `iozone`: KB/s by phase, in the page cache and at the disk.

Source of the cached rates: iozone on a 700 MHz P3 Xeon with 512 MiB (lkml, June 2003), of which a
3.2 GHz P4 does 2.5 to 3.5 times as much; of the disk's: the data sheet of a 10 000 rpm drive.
"""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.workloads.iozone import missed_lines
from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, domain, make_host, result, seen

L2_KIB = 2048
MIB = 1024  # KiB


def iozone(**given):
    return {"kind": "iozone", **given}


def ran(seconds, memory_mib=1024, **given):
    made = make_host(
        domain("a", iozone(**given), memory_mib=memory_mib, cpus="1"),
        domain0={"cpus": "0"}, cpu="p4-ht", memory_mib=4096,
    )  # fmt: skip
    made.advance(seconds * SECOND)
    return made


@pytest.mark.parametrize(
    ("record_kib", "phase", "measured_mb"),
    [
        (4, "reread", 311),
        (128, "reread", 357),
        (4096, "reread", 175),
        (128, "write", 160),
        (128, "rewrite", 240),
        (4096, "rewrite", 167),
    ],
)
def test_a_cached_file_is_as_fast_as_was_measured(record_kib, phase, measured_mb):
    done = result(ran(4, file_kib=64 * MIB, record_kib=record_kib), "a")
    rate_mb = done[f"{phase}_kib_per_second"] / 1024
    assert 2.4 * measured_mb < rate_mb < 3.6 * measured_mb


def test_a_file_that_fits_the_processors_cache_is_faster_still():
    small, large = (
        result(ran(2, file_kib=kib, record_kib=64), "a")["reread_kib_per_second"]
        for kib in (1024, 64 * MIB)
    )
    assert small > 1.5 * large


def test_a_buffer_leaves_the_cache_from_a_quarter_of_it_on():
    lines = [missed_lines(L2_KIB, 64 * MIB, kib)[0] for kib in (128, 512, 1024, 2048, 4096)]
    assert [16, 16, 26, 48, 48] == lines


def test_a_file_larger_than_the_memory_is_read_at_the_rate_of_the_disk():
    done = result(ran(120, memory_mib=128, file_kib=512 * MIB, record_kib=64), "a")
    assert 39 * MIB < done["read_kib_per_second"] < 80 * MIB


def test_with_fsync_writing_goes_at_the_rate_of_the_disk():
    done = result(ran(20, file_kib=128 * MIB, fsync=True, phases=["write"]), "a")
    assert 20 * MIB < done["write_kib_per_second"] < 80 * MIB


def test_without_fsync_writing_does_not_wait_for_the_disk():
    done = result(ran(5, file_kib=32 * MIB, phases=["write"]), "a")
    assert done["write_kib_per_second"] > 300 * MIB


def test_bytes_are_those_of_all_rounds_and_of_the_present_phase():
    done = result(ran(3, file_kib=16 * MIB), "a")
    whole = sum(done[f"{phase}_bytes"] for phase in ("write", "rewrite", "read", "reread"))
    assert whole <= done["bytes"] <= whole + 16 * 2**20
    assert done["rounds"] == done["reread_bytes"] // (16 * 2**20)


def test_rates_are_bytes_by_the_time_of_their_phase():
    done = result(ran(3, file_kib=16 * MIB), "a")
    rate = done["read_bytes"] / 1024 / done["read_seconds"]
    assert done["read_kib_per_second"] == pytest.approx(rate)


def test_random_records_of_a_cached_file_are_as_fast_as_those_in_sequence():
    phases = ["write", "read", "random_read", "random_write"]
    done = result(ran(4, file_kib=32 * MIB, phases=phases), "a")
    assert done["random_read_kib_per_second"] == pytest.approx(done["read_kib_per_second"], rel=0.1)


def test_random_records_of_a_file_larger_than_the_memory_seek():
    phases = ["write", "random_read"]
    done = result(ran(60, memory_mib=128, file_kib=300 * MIB, record_kib=4, phases=phases), "a")
    read_kib = done["bytes"] / 1024 - done["write_bytes"] / 1024
    assert 0 < read_kib < 60 * 400 * 4  # some hundred a second


def test_hardly_any_disk_is_read_while_the_file_is_cached():
    host = ran(3, file_kib=16 * MIB)
    assert measured(seen(host, "a").vbds[0].read_bytes) == 0


def test_most_of_the_time_is_the_kernels():
    spent = seen(ran(3, file_kib=64 * MIB), "a")
    assert measured(spent.kernel_ns) > 0.85 * measured(spent.cpu_ns)


def test_it_runs_in_domain_0_too():
    host = make_host(domain0={"workload": [iozone(file_kib=1024)]})
    host.advance(500 * MS)
    assert result(host, "Domain-0")["rounds"] > 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"record_kib": 3}, "4"),
        ({"record_kib": 128, "file_kib": 64}, "record_kib is 64 at most"),
        ({"phases": []}, "phases"),
        ({"phases": ["read", "read"]}, "phases names a phase twice"),
        ({"phases": ["skip"]}, "'write', 'rewrite', 'read', 'reread', 'random_read'"),
        ({"file_kib": 2**22}, "3932160"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(bad, message):
    with pytest.raises(ScenarioError, match=message):
        make_host(domain("a", iozone(**bad)))


def test_it_needs_a_disk():
    with pytest.raises(ScenarioError, match="iozone workload needs a disk"):
        make_host(domain("a", iozone(), disk=[]))
