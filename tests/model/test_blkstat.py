"""Counters of a guest's block layer against their definitions."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.domain.runstate import BLOCKED, OFFLINE, RUNNABLE, RUNNING
from hypervisor.model.storage.blkstat import DiskUse, IoWait
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, bare_domain, domain, fileio, make_host, result, vbd

spans = st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.booleans())


@given(st.lists(spans, max_size=12))
def test_a_disk_is_busy_while_any_request_is_under_way(requests):
    use = DiskUse()
    changes = sorted(
        [(begin, 0, None) for begin, _, _ in requests]
        + [(begin + length, 1, (begin, write)) for begin, length, write in requests],
        key=lambda change: change[:2],
    )
    for at, _, ended in changes:
        if ended is None:
            use.begin(1, at)
        else:
            use.end(512, ended[0], at, is_write=ended[1])
    busy = sum(
        any(begin <= at < begin + length for begin, length, _ in requests) for at in range(2000)
    )
    took = sum(length for _, length, _ in requests)

    assert (busy, took, took, 0) == (
        use.busy_ns(5000),
        use.queue_ns(5000),  # Little's law holds when no request is left
        use.wait_ns,
        use.in_flight,
    )


step = st.tuples(
    st.integers(0, 50), st.sampled_from(["ask", "answer", RUNNING, RUNNABLE, BLOCKED, OFFLINE])
)


@given(st.lists(step, max_size=40), st.integers(0, 50))
def test_iowait_is_blocked_time_with_somebody_waiting(steps, rest):
    one = bare_domain()
    one.vcpus.append(Vcpu(one, 0, 0, 1))
    runstate = one.vcpus[0].runstate
    waits = IoWait(one)
    now = asked = expected = 0
    for pause, what in [*steps, (rest, None)]:
        if asked and runstate.state == BLOCKED:
            expected += pause
        now += pause
        if what == "ask":
            waits.begin(0, asked % 2, now)
            asked += 1
        elif what == "answer":
            if asked:
                asked -= 1
                waits.end(0, asked % 2, now)
        elif what is not None:
            runstate.change(what, now)

    assert (expected, min(asked, 2)) == (waits.waited_ns(0, now), waits.sleepers)


def test_each_request_of_a_workload_is_counted_with_its_time():
    host = make_host(domain("io", fileio(block_bytes=4096, rate_per_second=20, direct=True)))
    host.advance(10 * SECOND + SECOND // 2)
    seen, done = vbd(host, "io"), result(host, "io")
    mean_ns = round(done["latency_seconds"]["mean"] * 1e9)

    assert done["requests"] == seen.answered_requests
    assert abs(seen.wait_ns - mean_ns * seen.answered_requests) < seen.answered_requests


def test_a_disk_that_always_has_something_to_do_is_always_busy():
    host = make_host(domain("io", fileio(op="read", pattern="random", queue_depth=4)))
    host.advance(SECOND)
    before = measured(vbd(host, "io").busy_ns)
    host.advance(6 * SECOND)

    assert 0.99 < (measured(vbd(host, "io").busy_ns) - before) / (5 * SECOND) <= 1


def test_a_disk_that_is_taken_away_leaves_nobody_waiting():
    host = make_host(domain("io", fileio(op="read", pattern="random", queue_depth=4)))
    host.advance(SECOND)
    devices = host.hypercalls.residents[1].devices
    waits = devices.io_wait
    assert waits.sleepers == 1

    host.hypercalls.devices.remove_disk(1, devices.vbds[0].spec.device)

    assert waits.sleepers == 0
