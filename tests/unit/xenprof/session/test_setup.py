"""The values that opcontrol, its daemonrc and the service exchange."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.cli.daemonrc import Daemonrc, DaemonrcFiles
from xenprof.events import EventSetting
from xenprof.session.setup import SEPARATIONS, DaemonStatus, Outcome, Setup

PATHS = st.from_regex(r"/[a-z0-9_.\-]{1,8}", fullmatch=True)
RANGES = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
SEPARATE = st.sets(st.sampled_from(SEPARATIONS)).map(
    lambda chosen: tuple(word for word in SEPARATIONS if word in chosen)
)
SETUPS = st.builds(
    Setup,
    events=st.lists(
        st.builds(EventSetting, st.just("E"), st.integers(1), st.integers(0), st.booleans())
    ).map(tuple),
    separate=SEPARATE,
    vmlinux=st.none() | PATHS,
    kernel_range=st.none() | RANGES,
    image_filter=st.lists(PATHS).map(tuple),
    active_domains=st.none() | st.just("0,3"),
    passive_ranges=st.lists(RANGES).map(tuple),
)
MEMORIES = st.builds(
    Daemonrc,
    session_dir=PATHS,
    events=st.lists(st.just("E:1:0:1:1"), max_size=3).map(tuple),
    separate=SEPARATE,
    vmlinux=st.sampled_from(["", "none"]) | PATHS,
    buffer_size=st.integers(0, 10**6),
    kernel_range=st.sampled_from(["", "ffff0000,ffff1000"]),
    xen_image=st.just("none") | PATHS,
)


@given(setup=SETUPS)
def test_setup_survives_json(setup):
    assert Setup.from_json(json.loads(json.dumps(setup.to_json()))) == setup


def test_outcome_survives_json():
    outcome = Outcome(("a",), ("b", "c"), 1)
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"colour": 1}, "unknown setup key: colour"),
        ({"events": [{"nam": "E"}]}, "setup cannot be used"),
        ({"kernel_range": [1]}, "setup cannot be used"),
        ({"separate": ["everything"]}, "unknown separation: everything"),
    ],
)
def test_setup_that_cannot_be_used_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        Setup.from_json(data)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (DaemonStatus("running", 7), "Daemon running: pid 7"),
        (DaemonStatus("paused", 7), "Daemon paused: pid 7"),
        (DaemonStatus("stopped"), "Daemon not running"),
    ],
)
def test_status_line_is_opcontrols(status, line):
    assert status.line == line


@given(memory=MEMORIES)
def test_daemonrc_reads_back_what_it_saved(tmp_path_factory, memory):
    files = DaemonrcFiles(tmp_path_factory.mktemp("root"), is_daemon_alive=False)
    files.save(memory)
    assert files.load() == memory
