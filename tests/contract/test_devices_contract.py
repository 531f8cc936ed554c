"""The contract of what any host tells of devices, and of its toolstack's operations.

A value may be unknown (None), but those that are known agree with each other.
"""

import re
from itertools import pairwise

import pytest

from hypervisor.errors import HostError
from hypervisor.telemetry import BLOCK_BUCKETS_NS, OPERATION_BUCKETS_NS
from tests.support.contracts import SECOND, let_pass

BALLOON = {
    "reached", "growing", "shrinking", "no_driver", "host_short", "guest_short", "maximum", None,
}  # fmt: skip


@pytest.fixture
def snapshots(host):
    """Snapshots of one and a half seconds."""
    taken = []
    for _ in range(4):
        taken.append(host.telemetry.snapshot())
        let_pass(host, 0.5)
    return taken


def vifs(snapshot):
    return [one for domain in snapshot.domains for one in domain.vifs]


def vbds(snapshot):
    return [one for domain in snapshot.domains for one in domain.vbds]


def test_drops_by_reason_sum_to_the_drops(snapshots):
    told = [
        (dropped, sum(reasons.values()))
        for one in vifs(snapshots[-1])
        for dropped, reasons in (
            (one.receive_dropped, one.receive_drops),
            (one.transmit_dropped, one.transmit_drops),
        )
        if None not in (dropped, reasons)
    ]

    assert [dropped for dropped, _ in told] == [reasons for _, reasons in told]


def test_rings_are_never_fuller_than_they_are(snapshots):
    rings = [
        ring
        for one in snapshots
        for device in (*vifs(one), *vbds(one))
        for name in ("ring", "receive_ring", "transmit_ring")
        if (ring := getattr(device, name, None)) is not None
    ]

    assert [ring for ring in rings if not 0 <= ring.used <= ring.slots] == []


def test_latencies_sum_to_the_time_waited(snapshots):
    told = [
        (
            (one.wait_ns, one.answered_requests),
            (
                one.read_latency.sum_ns + one.write_latency.sum_ns,
                sum(one.read_latency.counts) + sum(one.write_latency.counts),
            ),
        )
        for one in vbds(snapshots[-1])
        if None not in (one.read_latency, one.write_latency, one.wait_ns)
    ]

    assert [waited for waited, _ in told] == [latency for _, latency in told]


def test_latencies_are_counted_in_their_buckets(snapshots):
    histograms = [
        histogram
        for one in vbds(snapshots[-1])
        for histogram in (one.read_latency, one.write_latency)
        if histogram is not None
    ]

    assert {len(one.counts) for one in histograms} <= {len(BLOCK_BUCKETS_NS) + 1}
    assert {len(one.exemplars) for one in histograms} <= {0, len(BLOCK_BUCKETS_NS) + 1}


def test_nothing_is_used_beyond_its_limit(snapshots):
    over = [
        (one.name, used, limit)
        for snapshot in snapshots
        for one in snapshot.domains
        for used, limit in (
            (one.event_channels, one.event_channels_limit),
            (one.grants, one.grants_limit),
        )
        if None not in (used, limit) and not 0 <= used <= limit
    ]

    assert over == []


def test_a_balloon_is_in_a_state_that_is_known_and_reached_means_so(snapshots):
    domains = [one for snapshot in snapshots for one in snapshot.domains]

    assert {one.balloon for one in domains} <= BALLOON
    assert [
        one.name
        for one in domains
        if one.balloon is not None
        and (one.balloon == "reached") != (one.memory_kib == one.target_kib)
    ] == []


DEVICE_COUNTERS = {
    "nics": ("receive_bytes", "receive_packets", "receive_dropped", "transmit_packets"),
    "disks": ("read_requests", "write_requests", "read_bytes", "busy_ns", "wait_ns"),
    "bridges": ("forwarded_packets", "forwarded_bytes", "dropped_packets"),
}


@pytest.mark.parametrize("kind", DEVICE_COUNTERS)
def test_counters_of_physical_devices_never_fall(snapshots, kind):
    fallen = [
        (new.name, name)
        for before, after in pairwise(snapshots)
        for old, new in zip(getattr(before, kind), getattr(after, kind), strict=True)
        for name in DEVICE_COUNTERS[kind]
        if None not in (getattr(old, name), getattr(new, name))
        and getattr(new, name) < getattr(old, name)
    ]

    assert fallen == []


def test_a_bridge_of_an_interface_is_there_with_it_as_a_port(snapshots):
    last = snapshots[-1]
    ports = {one.name: one.ports for one in last.bridges if one.ports is not None}
    missing = [
        one.name
        for one in vifs(last)
        if one.bridge in ports and one.name is not None and one.name not in ports[one.bridge]
    ]

    assert missing == []


# Operations


@pytest.fixture
def operated(host, toolstack):
    """The snapshot after operations, one of which has failed, and what its user was told."""
    toolstack.domains.pause("busy")
    toolstack.domains.unpause("busy")
    try:
        toolstack.domains.rename("busy", "windows")
    except HostError as error:
        told = str(error)
    attaching = toolstack.devices.attach_network("busy", "bridge=xenbr0")
    host.advance_until(lambda: attaching.is_done, 100 * SECOND)
    toolstack.domains.destroy("busy")
    return host.telemetry.snapshot(), told


def test_what_was_asked_is_recorded_in_the_order_of_its_end(operated):
    snapshot, _ = operated

    assert [(one.operation, one.result, one.domain) for one in snapshot.last_operations] == [
        ("pause", "done", "busy"),
        ("unpause", "done", "busy"),
        ("rename", "failed", "busy"),
        ("network-attach", "done", "busy"),
        ("destroy", "done", "busy"),
    ]
    assert [one.serial for one in snapshot.last_operations] == [1, 2, 3, 4, 5]


def test_a_failure_has_the_text_that_its_user_got(operated):
    snapshot, told = operated

    assert [one.error for one in snapshot.last_operations] == [None, None, told, None, None]


def test_every_operation_has_a_trace_of_its_own(operated):
    traces = [one.trace_id for one in operated[0].last_operations]

    assert len(set(traces)) == len(traces)
    assert [one for one in traces if not re.fullmatch("[0-9a-f]{32}", one)] == []


def test_steps_lie_within_their_operation(operated):
    outside = [
        (one.operation, step.name)
        for one in operated[0].last_operations
        for step in one.steps
        if not one.began_ns <= step.began_ns <= step.ended_ns <= one.ended_ns
    ]

    assert outside == []
    assert sum(len(one.steps) for one in operated[0].last_operations) > 0


def test_counts_of_operations_are_those_of_the_records(operated):
    snapshot, _ = operated
    counts = {
        (one.operation, one.result): (sum(one.durations.counts), one.durations.sum_ns)
        for one in snapshot.operations
    }
    records = {
        key: (
            sum(key == (one.operation, one.result) for one in snapshot.last_operations),
            sum(
                one.ended_ns - one.began_ns
                for one in snapshot.last_operations
                if key == (one.operation, one.result)
            ),
        )
        for key in counts
    }

    assert counts == records
    assert {len(one.durations.counts) for one in snapshot.operations} == {
        len(OPERATION_BUCKETS_NS) + 1
    }
