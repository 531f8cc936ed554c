"""Targets behind links: the rates that framing leaves, and usual latencies."""

import pytest

from hypervisor.model.scenario.stores import Store
from hypervisor.model.storage.stores import Stores
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.random_stream import Streams
from hypervisor.toolstack.config.devices import parse_disk
from tests.support.model.disks import HZ, KIB, SECOND, Program


def measured(table, seconds=3, **program):
    clock = Clock()
    stores = Stores(clock, Streams(1), [Store(name="far", **table)], "deadline", HZ)
    disk = stores.place(parse_disk("phy:/dev/far/1,xvda,w")).disk
    one = Program(disk, clock, **program)
    clock.run_until(seconds * SECOND)
    return one, one.answered * one.size / seconds / 1e6


@pytest.mark.parametrize(
    ("table", "write", "least", "most"),
    [
        ({"kind": "fc"}, False, 175, 200),
        ({"kind": "fc", "link_mbit": 4000}, False, 300, 390),
        ({"kind": "iscsi"}, False, 100, 115),
        ({"kind": "iscsi"}, True, 92, 112),
        ({"kind": "nfs", "path": "/dev/far"}, False, 85, 110),
        ({"kind": "nfs", "path": "/dev/far"}, True, 40, 100),
        ({"kind": "gnbd"}, False, 60, 110),
    ],
)
def test_streams_run_at_the_usable_rate_of_the_link(table, write, least, most):
    _, rate = measured(table, size=512 * KIB, depth=4, write=write)
    assert least <= rate <= most


@pytest.mark.parametrize(("kind", "least", "most"), [("fc", 0.3, 0.7), ("iscsi", 0.5, 1.0)])
def test_small_writes_end_in_the_arrays_cache(kind, least, most):
    one, _ = measured({"kind": kind}, size=4 * KIB, write=True, is_random=True)
    assert least <= one.mean_ms <= most


def test_an_array_reads_ahead_for_a_sequential_reader():
    one, _ = measured({"kind": "fc"}, size=64 * KIB)
    assert one.mean_ms < 1.5


def test_more_spindles_do_more_random_reads():
    done = [
        measured({"kind": "fc", "spindles": n}, depth=32, is_random=True, span=10**8)[0].answered
        for n in (1, 4)
    ]
    assert done[1] > 2.5 * done[0]


def test_a_server_with_one_thread_does_one_request_at_a_time():
    gnbd, _ = measured({"kind": "gnbd"}, depth=16, is_random=True, span=10**8)
    nfs, _ = measured({"kind": "nfs", "path": "/dev/far"}, depth=16, is_random=True, span=10**8)
    assert nfs.answered > 2 * gnbd.answered


def test_a_full_cache_makes_writers_wait_for_the_drives():
    table = {"kind": "fc", "cache_mib": 4, "spindles": 1}
    one, _ = measured(table, size=4 * KIB, write=True, is_random=True, span=10**8, depth=8)
    assert one.mean_ms > 10
