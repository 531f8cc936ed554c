import pytest

from tests.support.capturing import domain, vcpu
from xenprof.capture.window import DomainUse, VcpuUse
from xenprof.capture.work import Burst, Work, work_of


def use(*vcpus, share=None, **fields):
    total = sum(one.running or 0 for one in vcpus) if share is None else share
    given = domain(1, "web", *(vcpu(number) for number in range(len(vcpus))), **fields)
    return DomainUse(given, share=total, vcpus=vcpus, wakes_per_second=None, user=None)


def fitted(given, by_devices=0.0, wakes=0.0):
    return work_of(given, by_devices, wakes, "web")[0]


def test_a_vcpu_that_never_sleeps_computes_all_the_time_however_little_it_gets():
    assert Work(hogs=1) == fitted(use(VcpuUse(0.2, 0.0, 0.8)))


def test_a_vcpu_that_sleeps_has_bursts_of_the_duty_that_it_would_have_alone():
    work = fitted(use(VcpuUse(0.1, 0.1, 0.8)))

    assert (0, (Burst(1.0, 40.0),)) == (work.hogs, work.bursts)


def test_each_vcpu_has_work_of_its_own():
    work = fitted(use(VcpuUse(1.0, 0.0, 0.0), VcpuUse(0.25, 0.75, 0.0)))

    assert (1, 1) == (work.hogs, len(work.bursts))


def test_what_devices_take_is_not_done_by_a_burst_again():
    work = fitted(use(VcpuUse(0.4, 0.6, 0.0)), by_devices=0.3)

    assert pytest.approx(0.1) == work.bursting


def test_a_domain_that_devices_explain_has_no_other_work():
    assert Work() == fitted(use(VcpuUse(0.2, 0.8, 0.0)), by_devices=0.3)


def test_processor_time_alone_means_a_burst():
    work = fitted(use(share=0.25))

    assert pytest.approx(1 / 3) == work.bursts[0].odds


def test_processor_time_alone_at_the_cap_means_computing():
    assert Work(hogs=1) == fitted(use(VcpuUse(0.25), cap_percent=25))


def test_unknown_processor_time_means_no_work_and_is_told():
    given = DomainUse(domain(1, "web"), vcpus=(VcpuUse(),))

    work, notes = work_of(given, 0, None, "web")

    assert (Work(), ["web: its processor time is unknown: no work"]) == (
        work,
        [str(note) for note in notes],
    )


def test_a_period_is_run_and_sleep_without_the_time_that_it_was_held():
    given = DomainUse(
        domain(1, "web", vcpu()),
        share=0.1,
        vcpus=(VcpuUse(0.1, 0.1, 0.8),),
        wakes_per_second=4.0,
    )

    assert pytest.approx(50.0) == fitted(given).bursts[0].period_ms


def test_wake_ups_of_devices_count_while_the_vcpu_sleeps():
    given = DomainUse(
        domain(1, "web", vcpu()),
        share=0.5,
        vcpus=(VcpuUse(0.5, 0.5, 0.0),),
        wakes_per_second=30.0,
    )

    assert pytest.approx(50.0) == fitted(given, wakes=20.0).bursts[0].period_ms


@pytest.mark.parametrize(("user", "program"), [(0.99, "linpack"), (0.8, "mysqld"), (0.5, "httpd")])
def test_the_program_is_the_one_with_the_nearest_modes(user, program):
    given = DomainUse(domain(1, "web", vcpu()), share=1.0, vcpus=(VcpuUse(1.0, 0.0),), user=user)

    assert program == fitted(given).program


def test_more_is_demanded_where_the_model_gave_less():
    work = Work(bursts=(Burst(0.25, 40.0),), bursting=0.2)

    assert 0.25 < work.adjusted(0.1, 0.2).bursts[0].odds


def test_nothing_is_adjusted_where_nothing_is_missing():
    work = Work(bursts=(Burst(0.25, 40.0),), bursting=0.2)

    assert work == work.adjusted(0.0, 0.2)


def test_a_burst_is_a_workload_of_its_duty_and_period():
    settings = Work(bursts=(Burst(0.25, 40.0),), program="httpd").settings()

    assert (
        {
            "kind": "burst",
            "run_ms": 8.0,
            "sleep_ms": 32.0,
            "jitter": 0.5,
            "awaits": "event",
            "program": "httpd",
            "memory_mib": 0,
        },
    ) == settings


def test_what_computes_all_the_time_can_be_eased_to_a_share():
    work = Work(hogs=2).eased(0.5)

    assert 0 == work.hogs
    assert [1 / 3, 1 / 3] == pytest.approx([one.odds for one in work.bursts])
