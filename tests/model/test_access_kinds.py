"""phy:, file:, tap:aio: and tap:qcow: (Xen 3.0.3, drivers/xen/blkback, tools/blktap)."""

import pytest

from hypervisor.model.storage.loop import Loop
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, cpu_percent, domain, fileio, make_host, result, vbd

MB = 1_000_000
KINDS = {"phy": "phy:/dev/sdb1", "file": "file:/x", "aio": "tap:aio:/x", "qcow": "tap:qcow:/x"}


def ran(kind, seconds=2, domain0=None, **given):
    host = make_host(
        domain("a", fileio(**given), disk=[f"{KINDS[kind]},xvda,w"]),
        domain0={"memory_mib": 512} | (domain0 or {}),
    )
    host.advance(seconds * SECOND)
    return result(host, "a"), host


def test_a_write_to_a_file_is_answered_before_it_is_on_the_disk():
    done, host = ran("file", op="write", block_bytes=4096, direct=True)
    assert done["latency_seconds"]["mean"] < 0.001
    assert host.hypercalls.backends.blkback.stores.system.use.write_bytes < done["bytes"]
    slow, _ = ran("phy", op="write", block_bytes=4096, direct=True)
    assert slow["latency_seconds"]["mean"] > 0.003


def test_a_file_that_domain_0_holds_is_read_at_memory_speed():
    host = make_host(
        domain("a", fileio(op="write", pattern="sequential", block_bytes=65536, direct=True, rate_per_second=200), disk=["file:/x,xvda,w"]),
        domain0={"memory_mib": 512},
    )  # fmt: skip
    host.advance(2 * SECOND)
    loop = host.hypercalls.residents[1].devices.vbds[0].access
    assert isinstance(loop, Loop)
    page = loop.place.base_sector // 8
    assert loop._files.cache.run(page, 5000) == 5000


def test_a_writer_waits_at_last_for_domain_0s_dirty_limit():
    done, _ = ran("file", 6, op="write", pattern="sequential", block_bytes=65536, direct=True)
    assert done["latency_seconds"]["max"] > 3 * done["latency_seconds"]["mean"]
    assert done["bytes"] / 6 / MB < 120


def test_a_loop_device_reads_one_request_at_a_time():
    deep = {"block_bytes": 4096, "queue_depth": 8}
    phy, file = (ran(kind, **deep)[0]["requests"] for kind in ("phy", "file"))
    alone = ran("file", block_bytes=4096, direct=True)[0]["requests"]
    assert phy > 2 * file
    assert file == pytest.approx(alone, rel=0.1)


def test_a_file_read_in_sequence_runs_at_the_disks_rate_by_read_ahead():
    done, _ = ran("file", pattern="sequential", block_bytes=4096, direct=True)
    assert 70 <= done["bytes"] / 2 / MB <= 82


def test_writes_through_tapdisk_are_synchronous_and_its_own():
    _, host = ran("aio", op="write", block_bytes=4096, queue_depth=4)
    elevator = host.hypercalls.backends.blkback.stores.system.queue.elevator
    tapdisk = host.hypercalls.residents[1].devices.vbds[0].tapdisk
    assert list(elevator._queues) == [tapdisk.tgid]


def test_the_first_write_to_a_cluster_of_an_image_takes_a_second_one():
    waits = {}
    for kind in ("aio", "qcow"):
        done, _ = ran(kind, op="write", block_bytes=4096, direct=True)
        waits[kind] = done["latency_seconds"]["mean"]
    assert 1.5 <= waits["qcow"] / waits["aio"] <= 3


@pytest.mark.parametrize("kind", ["file", "aio"])
def test_a_process_or_a_thread_more_costs_domain_0_more(kind):
    spent = []
    for one in ("phy", kind):
        given = {"pattern": "sequential", "queue_depth": 8, "rate_per_second": 2000}
        _, host = ran(one, block_bytes=4096, **given)
        spent.append(cpu_percent(host, "Domain-0"))
    assert spent[1] > 1.1 * spent[0]


def test_a_disk_of_a_file_counts_as_any_other():
    done, host = ran("file", block_bytes=4096, direct=True)
    requests = measured(vbd(host, "a").read_requests)
    assert done["requests"] <= requests <= done["requests"] + 1


def test_tapdisk_submits_each_page_of_a_request_by_itself():
    more = []  # per request, in percent of a pcpu, than without tapdisk
    for pages in (1, 11):
        given = {"block_bytes": pages * 4096, "queue_depth": 2, "rate_per_second": 200}
        spent = [cpu_percent(ran(kind, **given)[1], "Domain-0") for kind in ("phy", "aio")]
        more.append(spent[1] - spent[0])
    assert more[1] > 2 * more[0]
