import itertools
import json

import pytest

from tests.support.traces import opened, real_bytes
from xenprof.report.formats.perfetto import _read, intervals, render
from xenprof.report.formats.request import Request
from xenprof.trace.records import TraceFileError
from xenprof.trace.summary import summarise


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "real.bin"
    path.write_bytes(real_bytes())
    return json.loads(b"".join(render(Request(trace=str(path)))))


def slices(trace: dict) -> dict:
    """Return the slices of each track, ordered by time."""
    tracks: dict = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            tracks.setdefault((event["pid"], event["tid"]), []).append(event)
    return {track: sorted(events, key=lambda one: one["ts"]) for track, events in tracks.items()}


def test_slices_of_a_track_do_not_overlap(real):
    for events in slices(real).values():
        for first, second in itertools.pairwise(events):
            assert first["ts"] + first["dur"] <= second["ts"] + 0.0015  # both are rounded


def test_every_event_has_what_the_format_demands(real):
    required = {"M": {"name", "args"}, "X": {"name", "ts", "dur"}, "i": {"name", "ts", "s"}}
    for event in real["traceEvents"]:
        assert required[event["ph"]] | {"pid", "tid"} <= set(event)


def test_every_track_has_a_name(real):
    named = {
        (event["pid"], event["tid"])
        for event in real["traceEvents"]
        if event["name"] == "thread_name"
    }
    assert named >= set(slices(real))


def test_a_vcpu_runs_on_one_pcpu_at_a_time_and_both_tracks_say_so(real):
    tracks = slices(real)
    on_pcpus = sorted(
        (event["ts"], event["args"]["domain"], event["args"]["vcpu"])
        for (process, _), events in tracks.items()
        if process == 1
        for event in events
        if event["name"] != "idle"
    )
    running = sorted(
        (event["ts"], process - 100, vcpu)
        for (process, vcpu), events in tracks.items()
        if process != 1
        for event in events
        if event["name"] == "running"
    )
    assert on_pcpus == running


def test_times_are_those_of_the_summary():
    found = intervals(_read(opened(real_bytes())))
    summary = summarise(opened(real_bytes()).ordered()).finish("", 0)
    for vcpu in summary.vcpus:
        mine = found.key == (vcpu.domain << 16 | vcpu.vcpu)
        for state in range(5):
            rows = mine & (found.state == state)
            expected = vcpu.cycles[state] + vcpu.open_cycles[state]
            assert int((found.end - found.start)[rows].sum()) == expected


def test_a_file_that_is_no_trace_is_named(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(TraceFileError, match="empty"):
        list(render(Request(trace=str(path))))
