"""Files through the page cache of a guest (Linux 2.6.18, mm/readahead.c, page-writeback.c)."""

import pytest

from hypervisor.errors import ScenarioError
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, domain, fileio, make_host, result, vbd

MB = 1_000_000


def rate_mb(seconds, **given):
    host = make_host(domain("a", fileio(**given)))
    host.advance(round(seconds * SECOND))
    return result(host, "a")["bytes"] / seconds / MB, host


@pytest.mark.parametrize("block_bytes", [512, 4096, 65536])
def test_reads_in_sequence_run_at_the_disks_rate_whatever_the_record(block_bytes):
    rate, _ = rate_mb(3, pattern="sequential", block_bytes=block_bytes)
    assert 76 <= rate <= 81


def test_past_the_cache_each_small_read_waits_for_the_drive():
    rate, _ = rate_mb(2, pattern="sequential", block_bytes=4096, direct=True)
    assert 20 <= rate <= 30


def test_writes_run_at_memory_speed_until_too_much_is_dirty():
    first, host = rate_mb(0.1, op="write", pattern="sequential")
    assert first > 150
    assert measured(vbd(host, "a").write_bytes) < 0.7 * result(host, "a")["bytes"]
    later, host = rate_mb(8, op="write", pattern="sequential")
    assert 60 <= later <= 90


def test_data_that_the_cache_holds_are_not_read_again():
    host = make_host(domain("a", fileio(block_bytes=4096), memory_mib=128))
    host.advance(2 * SECOND)
    asked = result(host, "a")["bytes"]
    read = measured(vbd(host, "a").read_bytes)
    assert asked >= read - 4096 >= 0.9 * asked


@pytest.mark.parametrize("given", [{"sync": True}, {"fsync_every": 1}])
def test_a_synchronous_write_waits_for_data_and_commit(given):
    _, host = rate_mb(4, op="write", pattern="sequential", **given)
    mean = result(host, "a")["latency_seconds"]["mean"]
    assert 0.006 <= mean <= 0.018  # one to three rotations of 6 ms


def test_many_writes_share_one_commit():
    single, _ = rate_mb(3, op="write", pattern="sequential", fsync_every=1)
    shared, _ = rate_mb(3, op="write", pattern="sequential", fsync_every=16)
    assert shared > 8 * single


def test_a_timer_begins_nothing_while_its_program_waits_for_a_commit():
    """A commit of 15 ms lets two or three of 200 writes a second fall out, after each ten."""
    written = fileio(
        op="write", pattern="sequential", direct=False, fsync_every=10, rate_per_second=200
    )
    host = make_host(domain("a", written, memory_mib=256))
    host.advance(8 * SECOND)
    assert result(host, "a")["requests"] == pytest.approx(8 * 200 * 10 / 12.5, rel=0.1)


def test_a_rate_is_kept():
    _, host = rate_mb(5, pattern="sequential", rate_per_second=200)
    assert result(host, "a")["requests"] / 5 == pytest.approx(200, rel=0.02)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"op": "read", "sync": True}, "sync and fsync_every are for op = 'write'"),
        ({"op": "write", "fsync_every": 2, "direct": True}, "for direct = false"),
        ({"op": "write", "sync": True, "queue_depth": 4}, "for direct = false"),
    ],
)
def test_what_does_not_fit_together_is_refused(given, said):
    with pytest.raises(ScenarioError, match=said):
        make_host(domain("a", fileio(**given)))
