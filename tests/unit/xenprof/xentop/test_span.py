from dataclasses import replace

import pytest

from hypervisor.telemetry import DomainSnapshot, VcpuSnapshot
from tests.support.talk_host import HOST, OSSVM02, SECOND
from tests.support.xentop_screen import later
from xenprof.xentop.span import Span, capped_ns, waited_ns


def the_row(now, before=None):
    span = Span(now) if before is None else Span(before).then(now)
    return next(row for row in span.rows() if row.domain.name == "ossvm02")


def test_a_time_is_a_percentage_of_one_pcpu():
    row = the_row(later(HOST, 4, ossvm02=6), HOST)

    assert 150.0 == row.percent(lambda domain: domain.cpu_ns)


def test_without_a_look_before_no_percentage_is_known():
    assert the_row(HOST).percent(lambda domain: domain.cpu_ns) is None


def test_xentop_shows_no_use_where_there_was_no_look_before():
    assert 0.0 == the_row(HOST).busy_percent


def test_another_life_has_no_look_before():
    other = replace(HOST, domains=(replace(OSSVM02, uuid="another"),))

    assert the_row(later(HOST, 3), other).before is None


@pytest.mark.parametrize(
    ("counter", "expected"), [(waited_ns, 3 * SECOND), (capped_ns, 7 * SECOND)]
)
def test_times_of_all_vcpus_are_added_up(counter, expected):
    vcpus = (
        VcpuSnapshot(0, runnable_ns=SECOND, capped_ns=3 * SECOND),
        VcpuSnapshot(1, runnable_ns=2 * SECOND, capped_ns=4 * SECOND),
    )

    assert expected == counter(DomainSnapshot(1, "web", vcpus=vcpus))


@pytest.mark.parametrize("counter", [waited_ns, capped_ns])
@pytest.mark.parametrize(
    "vcpus", [(), (VcpuSnapshot(0, runnable_ns=1, capped_ns=1), VcpuSnapshot(1))]
)
def test_a_time_that_is_unknown_of_one_vcpu_is_unknown(counter, vcpus):
    assert counter(DomainSnapshot(1, "web", vcpus=vcpus)) is None


def test_looks_at_two_boots_are_not_compared():
    before, now = replace(HOST, boot="a"), replace(later(HOST, 4, ossvm02=6), boot="b")

    assert the_row(now, before).percent(lambda domain: domain.cpu_ns) is None


def test_of_a_time_that_has_begun_anew_no_percentage_is_known():
    row = the_row(later(HOST, 4, ossvm02=-1), later(HOST, 2, ossvm02=3))

    assert row.percent(lambda domain: domain.cpu_ns) is None
