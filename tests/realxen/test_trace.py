"""The trace buffers of a real Xen, beside xentrace and xenalyze."""

import json
import re
from pathlib import Path

import pytest

from hypervisor.live.agent.tracing.runstates import StateTimes, Traced
from tests.support.importing import run
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import FILE, OutsideAgent
from tests.support.realxen.recording import Recording, refusal, running_ns
from tests.support.traces import opened, rounds_of
from xenprof.cli.main import main
from xenprof.trace.records import joined

SCHED_CLASS = 0x2
RECORD = f"python3 -I {FILE} trace"


@pytest.fixture(scope="module")
def before_and_after(
    busy: Machine, agent: OutsideAgent
) -> tuple[dict[int, int], bytes, dict[int, int]]:
    """Return a trace of some seconds, and how long domains had run around it."""
    recording = Recording(busy, "first", "-e sched -S 64")
    before = running_ns(busy)
    busy.run("sleep 5")
    after = running_ns(busy)
    told = recording.end()
    assert " 0 records lost; rings of 64 pages" in told
    return before, recording.content(), after


def khz(machine: Machine) -> int:
    return int(float(machine.run("xl info cpu_mhz")) * 1000)


def times(machine: Machine, trace: bytes) -> dict[int, StateTimes]:
    traced = Traced(khz(machine))
    for windows in rounds_of(trace):
        traced.add(windows)
    traced.add([])
    found = {domid: traced.times(domid, 0) for domid in range(100)}
    return {domid: one for domid, one in found.items() if one is not None}


def test_only_what_was_asked_for_is_recorded(before_and_after):
    records = joined(list(opened(before_and_after[1]).chunks()))
    classes = {int(event) >> 16 for event in records.event} - {1}  # general: losses, wraps

    assert {SCHED_CLASS} == classes


def test_running_times_are_those_that_the_hypervisor_counts(busy, before_and_after):
    """The trace is a little longer than the time between the two looks."""
    before, trace, after = before_and_after
    traced = times(busy, trace)
    whole = max(map(sum, traced.values()))
    for domid in sorted(set(before) - {0}):
        counted = after[domid] - before[domid]
        assert counted <= traced[domid].running_ns + whole * 0.02, domid


def test_states_are_those_of_xenalyze(busy, before_and_after):
    busy.put(before_and_after[1], "/tmp/first.bin")
    told = busy.run(f"xenalyze --cpu-hz {khz(busy) * 1000} -s /tmp/first.bin 2>/dev/null")
    traced = times(busy, before_and_after[1])
    for domid in sorted(set(traced) - {0}):
        section = told.split(f"|-- Domain {domid} --|")[1].split("|-- Domain")[0]
        vcpu = section.split("-- v0 --")[1]
        running = re.search(r"running: +\d+ +([0-9.]+)s", vcpu)
        assert running is not None
        # xenalyze leaves out the states at the start and the end of the trace.
        assert abs(traced[domid].running_ns / 1e9 - float(running[1])) <= 0.5


def test_what_is_capped_is_offline(busy, before_and_after):
    domid = int(busy.run("xl domid batch"))
    traced = times(busy, before_and_after[1])[domid]

    # How much of it depends on how much others leave it: beside two that compute it gets little more.
    assert traced.offline_ns > 0.01 * sum(traced)


def test_a_recording_is_given_up_when_xentrace_begins(busy):
    recording = Recording(busy, "second", "-e sched")
    busy.run("xentrace -D -e 0x21000 -T 3 /tmp/theirs.bin")

    assert "another program has chosen other events" in busy.run("cat /tmp/second.log")
    assert busy.get("/tmp/theirs.bin")
    assert recording.content()


def test_rings_that_xentrace_reads_are_left_alone(busy):
    busy.run(
        "(exec xentrace -D -e 0x21000 -T 60 /tmp/other.bin) >/dev/null 2>&1 & "
        "echo $! >/tmp/other.pid; until [ -s /tmp/other.bin ]; do sleep 0.1; done"
    )
    try:
        assert "another program reads them; end it" in refusal(busy, f"{RECORD} /tmp/c.bin -T 1")
    finally:
        busy.run("kill $(cat /tmp/other.pid)")


def test_after_a_recording_was_killed_another_one_works_and_tells_no_old_losses(busy):
    Recording(busy, "killed", "-e sched").end("KILL")

    assert " 0 records lost" in busy.run(f"{RECORD} /tmp/next.bin -e sched -T 2 2>&1")


def test_it_becomes_a_picture_of_who_ran_where(busy, before_and_after, tmp_path: Path):
    trace, picture = tmp_path / "host.trace", tmp_path / "host.json"
    trace.write_bytes(before_and_after[1])
    code, _, told = run(main, "report", "--format", "perfetto", "--trace", trace, "-o", picture)
    events = json.loads(picture.read_text())["traceEvents"]
    on_pcpu_1 = {
        event["name"]
        for event in events
        if (event["ph"], event["pid"], event["tid"]) == ("X", 1, 1)
    }

    assert (0, "") == (code, told)
    assert {f"d{busy.run(f'xl domid {name}').strip()}v0" for name in ("web", "db", "batch")} <= (
        on_pcpu_1
    )
