from itertools import pairwise

from hypervisor.live.agent.report.fields import DomainReport, HostReport, VcpuReport
from hypervisor.live.agent.tracing.reports import TracedReports
from hypervisor.live.agent.tracing.rings import Window
from hypervisor.live.agent.tracing.runstates import BLOCKED, OFFLINE, RUNNABLE, RUNNING
from tests.support.live.fake_rings import change

KHZ = 1_000_000
"""A cycle of this tsc is a nanosecond."""
SAMPLED = VcpuReport(0, True, False, False, 5, 0, None, 700, 800, 90, 10)


def report(vcpu=SAMPLED, *, cap=0, paused=False, domid=3, uuid="u"):
    domain = DomainReport(domid, uuid, cap_percent=cap, paused=paused, vcpus=(vcpu,))
    made = HostReport(1, 1, "b", 0, 0, 0, 0, 0, "xen0", domains=(domain,))
    return made._replace(sources={"runstates": "sampled"})


def times(of):
    vcpu = of.domains[0].vcpus[0]
    return vcpu.runnable_ns, vcpu.blocked_ns, vcpu.offline_ns, vcpu.capped_ns


def ring(*changes):
    return [Window(0, b"".join(changes))]


def traced():
    """Return reports whose trace has begun with domain 3 that blocks at 1000."""
    reports = TracedReports()
    reports.completed(report())
    reports.begin(KHZ)
    reports.add(ring(change(1000, 3, 0, RUNNING, BLOCKED)))
    reports.add([])
    reports.completed(report())
    return reports


def test_a_report_is_as_it_was_before_any_trace():
    reports = TracedReports()

    assert report() == reports.completed(report())


def test_times_go_on_from_the_samples_by_what_the_trace_adds():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE), change(1500, 3, 0, RUNNABLE, RUNNING)))
    reports.add([])

    assert (800, 1200, 90, 10) == times(reports.completed(report()))


def test_a_report_says_that_it_is_traced():
    sources = traced().completed(report()).sources

    assert ("trace", "trace") == (sources["runstates"], sources["waits"])


def test_waits_are_told_while_a_trace_runs():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE), change(3400, 3, 0, RUNNABLE, RUNNING)))
    reports.add([])
    domain = reports.completed(report()).domains[0]

    assert ((2000, 1), (0, 0)) == (
        (domain.wake_waits.sum_ns, domain.wake_waits.counts[1]),
        (domain.preempted_waits.sum_ns, sum(domain.preempted_waits.counts)),
    )


def test_times_go_on_from_the_trace_by_samples_when_it_has_ended():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE)))
    reports.add([])
    reports.completed(report())
    reports.end()
    reports.completed(report())

    after = reports.completed(report(SAMPLED._replace(runnable_ns=701)))

    assert ((701, 1200, 90, 10), "sampled", None) == (
        times(after),
        after.sources["runstates"],
        after.domains[0].wake_waits,
    )


def test_a_round_of_the_trace_that_came_late_adds_no_more_than_has_passed():
    reports = TracedReports()
    shown = []
    told = ((1000, 10), (1000, 20), (1900, 30), (4100, 40), (4900, 50), (6000, 60))
    reports.begin(KHZ)
    reports.add(ring(change(900, 3, 0, RUNNING, RUNNABLE)))
    for tsc, number in told:  # at 1000, 2000 and so on, of which the vcpu has run a tenth
        reports.add(ring(change(tsc, 3, 0, RUNNABLE, RUNNABLE)))
        reports.add([])
        vcpu = SAMPLED._replace(cpu_ns=10 * number)
        shown.append(times(reports.completed(report(vcpu)._replace(time_ns=100 * number)))[0])

    assert [0, 900, 900, 900, 900] == [b - a for a, b in pairwise(shown)]


UNKNOWN = SAMPLED._replace(runnable_ns=None, blocked_ns=None, offline_ns=None, capped_ns=None)


def test_times_are_unknown_after_a_trace_where_nobody_samples():
    reports = traced()
    reports.end()

    assert (None,) * 4 == times(reports.completed(report(UNKNOWN)))


def test_times_go_on_where_they_were_when_a_trace_begins_again():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE)))
    reports.add([])
    before = times(reports.completed(report()))
    reports.end()
    reports.completed(report(UNKNOWN))
    reports.begin(KHZ)
    reports.add(ring(change(9000, 3, 0, RUNNING, BLOCKED)))
    reports.add([])

    assert before == times(reports.completed(report(UNKNOWN)))


def parked(**state):
    reports = traced()
    reports.add(ring(change(1000, 3, 0, BLOCKED, OFFLINE), change(1250, 3, 0, OFFLINE, RUNNABLE)))
    reports.add([])
    return times(reports.completed(report(**state)))[2:]


def test_time_offline_is_capped_in_a_domain_with_a_cap():
    assert (90, 260) == parked(cap=25)


def test_time_offline_is_not_capped_without_a_cap_or_in_a_paused_domain():
    assert [(340, 10), (340, 10)] == [parked(), parked(cap=25, paused=True)]


def test_a_vcpu_without_a_record_has_the_state_of_its_flags():
    reports = traced()
    spinning = SAMPLED._replace(blocked=False, running=False)
    reports.completed(report(spinning, domid=7))
    reports.add(ring(change(1900, 3, 0, BLOCKED, RUNNABLE)))
    reports.add([])

    assert (1600, 800, 90, 10) == times(reports.completed(report(spinning, domid=7)))


def test_losses_are_a_problem_of_the_report():
    reports = traced()
    lost = (0x1F001 | 1 << 28 | 1 << 31).to_bytes(4, "little") + bytes(8) + b"\7\0\0\0"
    reports.add([Window(1, lost)])

    assert ("trace: 7 records were lost",) == reports.completed(report()).problems


def waits(of):
    wakes, preempted = of.domains[0].wake_waits, of.domains[0].preempted_waits
    return wakes.sum_ns, preempted.sum_ns


def test_the_next_life_of_a_domid_has_none_of_the_waits_of_the_one_before():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE), change(3400, 3, 0, RUNNABLE, RUNNING)))
    reports.add([])

    old, new = reports.completed(report()), reports.completed(report(uuid="v"))
    again = reports.completed(report(uuid="v"))

    assert [(2000, 0), (0, 0), (0, 0)] == [waits(old), waits(new), waits(again)]


def test_records_of_a_life_that_has_ended_are_not_added_to_the_next_one():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE), change(3400, 3, 0, RUNNABLE, RUNNING)))
    reports.completed(report(uuid="v"))
    reports.add([])

    assert (0, 0) == waits(reports.completed(report(uuid="v")))


def test_records_of_a_life_that_has_ended_are_forgotten_while_nobody_has_its_domid():
    reports = traced()
    reports.add(ring(change(1400, 3, 0, BLOCKED, RUNNABLE), change(3400, 3, 0, RUNNABLE, RUNNING)))
    reports.completed(report(domid=4))
    reports.add([])

    assert (0, 0) == waits(reports.completed(report(uuid="v")))


def test_waits_of_the_next_life_of_a_domid_are_counted_from_then_on():
    reports = traced()
    reports.completed(report(uuid="v"))
    reports.add(ring(change(5000, 3, 0, RUNNING, BLOCKED), change(6000, 3, 0, BLOCKED, RUNNABLE)))
    reports.add(ring(change(6700, 3, 0, RUNNABLE, RUNNING)))
    reports.add([])

    assert (700, 0) == waits(reports.completed(report(uuid="v")))
