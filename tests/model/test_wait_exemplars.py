"""The last wait of each bucket is its exemplar, and leads to the profile of its time."""

from hypervisor.telemetry import WAIT_BUCKETS_NS
from tests.support.measured import measured
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, make_host, seen
from tests.support.model.profiling import begin, set_counter


def busy(**host):
    hosted = make_host(
        domain("a", cpu(), cpus="1"), domain("b", burst(3, 4), cpus="1", vcpus=2), **host
    )
    hosted.advance(2 * SECOND)
    return hosted


def histograms(host):
    return [waits for one in host.telemetry.snapshot().domains for waits in one.waits.values()]


def test_each_bucket_with_waits_has_one_and_no_other():
    for waits in histograms(busy()):
        assert [count > 0 for count in waits.counts] == [one is not None for one in waits.exemplars]


def test_an_exemplar_is_in_its_bucket():
    floors = [-1, *WAIT_BUCKETS_NS]
    ceilings = [*WAIT_BUCKETS_NS, 10 * SECOND]
    for waits in histograms(busy()):
        for floor, one, ceiling in zip(floors, waits.exemplars, ceilings, strict=True):
            assert one is None or floor < one.value_ns <= ceiling


def test_an_exemplar_ended_in_the_time_of_the_host():
    host = busy()
    ends = [one.unix_ns for waits in histograms(host) for one in waits.exemplars if one]
    assert (True, True) == (min(ends) >= 0, max(ends) <= host.telemetry.snapshot().unix_ns)


def test_the_last_exemplar_of_all_is_the_last_wait():
    """Oracle: the pcpu belongs to a hog, whose last wait ended when it last got the pcpu back."""
    host = make_host(domain("a", cpu(), cpus="1"), domain("b", cpu(), cpus="1"))
    host.advance(SECOND)
    ended = {}
    for name in "ab":
        waits = measured(seen(host, name).waits)["preempted"]
        ended[name] = max(one.unix_ns for one in waits.exemplars if one)
    now_running = "a" if seen(host, "a").running else "b"
    other = {"a": "b", "b": "a"}[now_running]
    assert 0 < ended[now_running] - ended[other] < 31 * MS


def test_waits_while_a_session_counts_lead_to_it():
    host = busy()
    assert {None} == {one.trace_id for waits in histograms(host) for one in waits.exemplars if one}
    set_counter(host)
    begin(host, (0,), (1,))
    began_ns = host.telemetry.snapshot().profiling.began_ns
    host.advance(3 * SECOND)
    trace_id = host.telemetry.snapshot().profiling.trace_id
    for waits in histograms(host):
        for one in filter(None, waits.exemplars):
            assert one.trace_id == (trace_id if one.unix_ns >= began_ns else None)


def test_a_domain_that_has_not_waited_tells_the_same_again():
    host = make_host(domain("a", {"kind": "idle"}))
    host.advance(SECOND)
    first = seen(host, "a").waits
    assert first is seen(host, "a").waits


def test_a_domain_that_takes_the_id_of_another_has_waits_of_its_own():
    host = busy()
    host.telemetry.snapshot()
    host.toolstack.domains.destroy("b")
    host.advance(host.now_ns + SECOND)
    host.hypercalls._rover = 1
    host.toolstack.domains.create(
        {"name": "c", "memory": 64, "kernel": "/boot/vmlinuz"}, paused=True
    )
    host.advance_until(
        lambda: any(one.name == "c" for one in host.telemetry.snapshot().domains), SECOND
    )
    one = seen(host, "c")
    assert (2, 0) == (one.domid, sum(sum(waits.counts) for waits in measured(one.waits).values()))
