"""Whatever a host tells of itself, what is captured of it is a scenario that runs."""

import re
import tomllib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from tests.support.capturing import EPOCH_NS, SECOND, glimpse, still
from tests.support.sparse_host import sparse
from xenprof.capture.fitting import capture
from xenprof.capture.window import Window

DRAWN = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RUNS = settings(DRAWN, max_examples=25)
NASTY = ("", "web", 'a"b', "a\nb", "a\\", "Domain-0", "ü" * 90, "\x7f", "[x]", "a,b=c", "0", "%02d")


def maybe(values):
    return st.none() | values


names = st.sampled_from(NASTY) | st.text(max_size=100)
counters = maybe(st.integers(0, 10**12))
texts = maybe(names)
affinities = maybe(st.lists(st.integers(-1, 70), max_size=4, unique=True).map(tuple))

vcpus = st.builds(
    VcpuSnapshot,
    vcpu=st.integers(0, 5),
    online=maybe(st.booleans()),
    running_ns=counters,
    runnable_ns=counters,
    blocked_ns=counters,
    capped_ns=counters,
    affinity=affinities,
    context_switches=counters,
)
vifs = st.builds(
    VifSnapshot,
    index=st.integers(0, 3),
    mac=texts | st.just("00:16:3E:00:00:01"),
    bridge=texts | st.sampled_from(("xenbr0", "virbr0")),
    receive_bytes=counters,
    receive_packets=counters,
    transmit_bytes=counters,
    transmit_packets=counters,
    rate_limit_bytes=maybe(st.integers(0, 2**40)),
)
vbds = st.builds(
    VbdSnapshot,
    device=st.integers(0, 2**32) | st.just(51712),
    name=texts | st.sampled_from(("xvda", "hdc", "sdb1", "xvdz")),
    backend=texts | st.sampled_from(("phy:/dev/sdb1", "file:/a b", "tap:aio:/x", "qdisk:/y", "")),
    mode=st.sampled_from((None, "r", "w", "w!", "x")),
    read_requests=counters,
    write_requests=counters,
    read_bytes=counters,
    write_bytes=counters,
    wait_ns=counters,
    busy_ns=counters,
)


def domains(domid):
    return st.builds(
        DomainSnapshot,
        domid=st.just(domid),
        name=names,
        uuid=st.just(str(domid)),
        kind=st.sampled_from((None, "pv", "hvm", "pvh", "x")),
        arch=st.sampled_from((None, "x86_64", "i386", "arm64")),
        dying=maybe(st.booleans()),
        paused=maybe(st.booleans()),
        cpu_ns=counters,
        memory_kib=maybe(st.integers(0, 2**32)),
        maximum_kib=maybe(st.integers(0, 2**34)),
        weight=maybe(st.integers(0, 70_000)),
        cap_percent=maybe(st.integers(0, 900)),
        user_ns=counters,
        vcpus=st.lists(vcpus, max_size=3, unique_by=lambda one: one.vcpu).map(tuple),
        vifs=st.lists(vifs, max_size=4, unique_by=lambda one: one.index).map(tuple),
        vbds=st.lists(vbds, max_size=3, unique_by=lambda one: one.device).map(tuple),
    )


@st.composite
def hosts(draw):
    """Return two looks at one host: its topology and domains are the same, the counters are not."""
    first_id = draw(st.integers(0, 1))
    count = draw(st.integers(0, 3))
    topology = {
        "sockets": draw(maybe(st.integers(0, 3))),
        "cores_per_socket": draw(maybe(st.integers(0, 40))),
        "threads_per_core": draw(maybe(st.integers(1, 4))),
        "pcpus": tuple(map(PcpuSnapshot, range(draw(st.integers(0, 40))))),
    }
    looks = [
        HostSnapshot(
            1,
            time_ns,
            EPOCH_NS + time_ns,
            draw(names),
            cpu_type=draw(texts),
            mhz=draw(maybe(st.integers(0, 20_000))),
            xen_major=draw(maybe(st.integers(2, 5))),
            xen_minor=draw(maybe(st.integers(0, 22))),
            tools=draw(texts),
            scheduler=draw(texts | st.sampled_from(("credit", "credit2", "sedf"))),
            memory_kib=draw(maybe(st.integers(0, 2**34))),
            domains=tuple(draw(domains(first_id + number)) for number in range(count)),
            **topology,
        )
        for time_ns in (SECOND, 11 * SECOND)
    ]
    first, last = looks
    return Window(first, last)


@given(hosts())
@RUNS
def test_every_captured_file_parses_and_runs(window):
    text = capture(window, glimpse).text

    host = build(parse_scenario(text, "captured"), epoch_ns=0)
    host.advance(SECOND // 20)
    assert host.now_ns == SECOND // 20


@given(hosts())
@DRAWN
def test_a_captured_file_is_printable_ascii_in_lines(window):
    text = capture(window, still).text

    assert [] == re.findall(r"[^\n -~]", text)


@given(hosts())
@DRAWN
def test_only_comments_have_what_the_host_chose_and_scenarios_do_not_allow(window):
    """Nothing that a guest controls makes a key or a table of the file."""
    found = tomllib.loads(capture(window, still).text)

    assert set(found) <= {"host", "domain0", "domain"}


def test_a_host_that_knows_names_and_processor_time_alone_can_be_captured():
    fit = capture(Window(sparse(10), sparse(40)), glimpse)

    assert ["Domain-0", "web", "db"] == [row.name for row in fit.rows]
    assert [10, 25, 0] == [round(100 * (row.measured or 0)) for row in fit.rows]


def test_what_such_a_host_does_not_know_is_named_and_not_guessed_silently():
    fit = capture(Window(sparse(10), sparse(40)), glimpse)

    assert {str(note) for note in fit.notes} >= {
        "host: the number of pcpus is unknown: 1, on which all that ran could run",
        "host: the scheduler is unknown: credit",
        "host: the clock rate is unknown: the default",
        "web: how many vcpus it has is unknown: 1",
        "web: its memory is unknown: 128 MiB",
        "web: its weight is unknown: the default",
        "web: its cap is unknown: none",
        "web: its pinning is unknown: none",
        "web: how often it wakes is unknown: 40 ms",
        "web: whether it waits or sleeps is unknown: it sleeps",
        "programs: what they execute is unknown: the defaults",
    }
    assert all(f"#   {note}" in fit.text for note in fit.notes)
