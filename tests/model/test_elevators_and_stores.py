"""A small reader beside a disk hog: each elevator on each store (Linux 2.6.18, block/*-iosched.c).

What the reader keeps is its rate as a part of that alone on the store. Bounds follow from the
elevators' parameters, as the comments say, with a fifth to either side for what the disk does.
"""

from functools import cache

import pytest

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.model.hosts import SECOND, result

HOST = """
[host]
cpu = "p4"
mhz = 3200
memory_mib = 2048
[[host.store]]
name = "s"
{store}
[domain0]
memory_mib = 256
elevator = "{elevator}"
"""
GUEST = """
[[domain]]
name = "{name}"
memory_mib = 128
disk = ["phy:/dev/s/{name},xvda,w"]
[[domain.workload]]
kind = "fileio"
{work}
"""
STORES = {
    "disk": 'kind = "disk"',
    "disk without queue": 'kind = "disk"\nqueue_depth = 1',
    "sata": 'kind = "disk"\ndrive = "barracuda-es"',
    "fc": 'kind = "fc"',
    "iscsi": 'kind = "iscsi"',
    "gnbd": 'kind = "gnbd"',
}
SMALL = "block_bytes = 4096\ndirect = true"
HOGS = {
    "writer": 'op = "write"\npattern = "sequential"\nblock_bytes = 65536\nqueue_depth = 16',
    "scattered writer": 'op = "write"\nblock_bytes = 8192\nqueue_depth = 32',
    "reader": 'pattern = "sequential"\nblock_bytes = 65536',
}
ELEVATORS = ("noop", "deadline", "anticipatory", "cfq")


@cache
def ran(store, elevator, hog="", seconds=3):
    """Return the results of the small reader, beside a hog if there shall be one."""
    text = HOST.format(store=STORES[store], elevator=elevator)
    works = {"small": SMALL} | ({"hog": HOGS[hog]} if hog else {})
    text += "".join(GUEST.format(name=name, work=work) for name, work in works.items())
    host = build(parse_scenario(text, "test"), epoch_ns=0)
    host.advance(seconds * SECOND)
    return result(host, "small")


def kept(store, elevator, hog):
    return ran(store, elevator, hog)["requests"] / ran(store, elevator)["requests"]


@pytest.mark.parametrize("store", STORES)
def test_cfq_gives_two_readers_the_same_time(store):
    # Both queues are synchronous: slice_sync of 100 ms each.
    assert 0.4 <= kept(store, "cfq", "reader") <= 0.6


@pytest.mark.parametrize("store", STORES)
def test_under_cfq_a_reader_waits_for_a_slice_at_most(store):
    # slice_sync, what of it is under way at its end, and the reader's own request.
    assert 0.09 <= ran(store, "cfq", "reader")["latency_seconds"]["max"] <= 0.15


@pytest.mark.parametrize("store", STORES)
def test_cfq_gives_a_reader_the_larger_part_beside_a_writer(store):
    # slice_sync of 100 ms to at most slice_async of 40 ms: 0.71.
    assert kept(store, "cfq", "writer") >= 0.71 * 0.8


@pytest.mark.parametrize("store", STORES)
def test_anticipatory_waits_for_the_reader_beside_a_writer(store):
    # read_batch_expire of 500 ms to write_batch_expire of 125 ms: 0.8.
    assert kept(store, "anticipatory", "writer") >= 0.8 * 0.8


@pytest.mark.parametrize("store", STORES)
def test_anticipatory_lets_a_sequential_reader_go_on_until_the_other_ones_request_expires(store):
    # A close read is better than a far one; read_expire is 125 ms, looked at once in 125 ms.
    least = min(kept(store, one, "reader") for one in ELEVATORS)
    assert kept(store, "anticipatory", "reader") == least
    assert ran(store, "anticipatory", "reader")["latency_seconds"]["max"] <= 0.3


@pytest.mark.parametrize("store", STORES)
def test_the_elevators_that_do_not_wait_let_a_writer_take_most(store):
    # The reader has nothing queued while it thinks; noop and deadline send what there is.
    for better in ("anticipatory", "cfq"):
        for worse in ("noop", "deadline"):
            assert kept(store, better, "writer") > kept(store, worse, "writer")


@pytest.mark.parametrize("store", ["disk", "fc", "iscsi", "gnbd"])
def test_deadline_orders_nothing_where_the_device_takes_all_there_is(store):
    # 32 commands: what is not in the queue cannot be sorted.
    noop, deadline = (kept(store, one, "scattered writer") for one in ("noop", "deadline"))
    assert deadline == pytest.approx(noop, rel=0.1)


def test_deadline_lets_a_read_pass_all_writes_but_the_one_under_way():
    # It waits for half of a write on average, and the next write begins after it: from a half to
    # a third; in the order of arrival it waits for 31 writes.
    assert 0.33 * 0.8 <= kept("disk without queue", "deadline", "scattered writer") <= 0.67
    assert kept("disk without queue", "noop", "scattered writer") <= 1.2 / 32


def test_cfq_does_not_wait_for_a_scattered_reader_of_a_drive_that_queues():
    # More than four requests in the driver turn idling off: a read to a round of 16 writes, which
    # such a drive does 1.8 to 2.2 times as fast as one by one: 1 / (1 + 16 / 2).
    assert kept("disk", "cfq", "scattered writer") <= 1.2 / 9
    assert kept("disk without queue", "cfq", "scattered writer") >= 0.71 * 0.8


def test_a_log_writer_gets_a_turn_after_a_slice_of_each_reader():
    # Guests' writes are asynchronous and share a queue, which nobody waits for: 100 ms a reader.
    text = HOST.format(store=STORES["disk"], elevator="cfq")
    log = 'op = "write"\npattern = "sequential"\nblock_bytes = 4096\ndirect = true'
    works = {"log": log, "r1": HOGS["reader"], "r2": HOGS["reader"]}
    text += "".join(GUEST.format(name=name, work=work) for name, work in works.items())
    host = build(parse_scenario(text, "test"), epoch_ns=0)
    host.advance(4 * SECOND)
    assert 0.2 * 0.8 <= result(host, "log")["latency_seconds"]["mean"] <= 0.2 * 1.2
