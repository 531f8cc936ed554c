"""docs/live.md tells of every field of a snapshot whether a real host has it, and that is true."""

import dataclasses
import re
from collections.abc import Mapping

import pytest

from hypervisor.live.agent.report.fields import (
    DomainReport,
    HostReport,
    VcpuReport,
    WaitsReport,
)
from hypervisor.live.snapshots import snapshot_of
from hypervisor.telemetry import (
    WAIT_BUCKETS_NS,
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from tests.support.live.reports import SECOND, domain0, guest, report
from tests.support.paths import ROOT

SNAPSHOTS = (
    HostSnapshot, PcpuSnapshot, DomainSnapshot, VcpuSnapshot, VifSnapshot, VbdSnapshot,
)  # fmt: skip
VERDICTS = {"filled", "sampled", "None"}


def told(snapshot: type) -> dict[str, str]:
    """Return what the page says of each field of a snapshot."""
    text = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    table = text.split(f"### {snapshot.__name__}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (`.*?) \| (\w+) \|", table, re.MULTILINE)
    return {name: verdict for names, verdict in rows for name in re.findall(r"`(\w+)`", names)}


def complete() -> HostReport:
    """Return a report of a host that tells all that a report can tell."""
    now_ns = 10 * SECOND
    waits = WaitsReport((1,) * (len(WAIT_BUCKETS_NS) + 1), 1)
    full = guest(1, "web", now_ns, shutdown=True, shutdown_reason=3, wake_waits=waits,
                 preempted_waits=waits, ssid=0)  # fmt: skip
    vcpus = tuple(
        vcpu._replace(runnable_ns=1, blocked_ns=1, offline_ns=1, capped_ns=1) for vcpu in full.vcpus
    )
    assert full.vbds is not None
    vbd = full.vbds[0]._replace(wait_ns=1, answered_requests=1, in_flight_requests=1)
    return report(domains=(domain0(now_ns), full._replace(vcpus=vcpus, vbds=(vbd,))))


def found() -> Mapping[type, Mapping[str, object]]:
    """Return the fields of a snapshot of such a host, by its parts."""
    host = snapshot_of(complete(), "xen1")
    first, web = host.domains
    parts = (host, host.pcpus[0], web, web.vcpus[0], web.vifs[0], web.vbds[0])
    values = {
        type(part): {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        for part in parts
    }
    values[DomainSnapshot] |= {"os": first.os, "arch": first.arch}
    return values


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_every_field_is_told_and_no_other(snapshot):
    assert {field.name for field in dataclasses.fields(snapshot)} == set(told(snapshot))
    assert set(told(snapshot).values()) <= VERDICTS


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_what_is_told_to_be_unknown_is_unknown_and_nothing_else(snapshot):
    nothing: tuple[object, ...] = (None, (), {})
    unknown = {name for name, value in found()[snapshot].items() if value in nothing}

    assert {name for name, verdict in told(snapshot).items() if verdict == "None"} == unknown


def test_only_times_of_vcpus_are_sampled():
    sampled = {
        name for snapshot in SNAPSHOTS for name, v in told(snapshot).items() if v == "sampled"
    }
    bare = snapshot_of(report(domains=(DomainReport(1, "u", vcpus=(VcpuReport(0),)),)), "xen1")

    assert {"runnable_ns", "blocked_ns", "offline_ns", "capped_ns"} == sampled
    assert {None} == {getattr(bare.domains[0].vcpus[0], name) for name in sampled}
