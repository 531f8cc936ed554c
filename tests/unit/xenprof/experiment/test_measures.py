"""Figures between two snapshots."""

import pytest

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, ModeTimes
from xenprof.experiment.measures import Measure, check_places, measured
from xenprof.experiment.places import NoSuchPlace

SECOND = 10**9


def host(cpu_ns, done, memory_kib=64):
    work = ({"kind": "cpu", "units": done, "latency_seconds": {"mean": 0.25}},)
    web = DomainSnapshot(1, "web", cpu_ns=cpu_ns, workloads=work, memory_kib=memory_kib)
    return HostSnapshot(1, 0, 0, "h", domains=(DomainSnapshot(0, "Domain-0", cpu_ns=5), web))


@pytest.mark.parametrize(
    ("measure", "figure"),
    [
        (Measure(("domain.web.cpu_ns",), "share"), 50),
        (Measure(("domain.web.workload.cpu.units",), "per_second"), 10),
        (Measure(("domain.web.workload.0.units",), "growth"), 20),
        (Measure(("domain.*.workload.*.units",), "growth", times=0.5), 10),
        (Measure(("domain.web.memory_kib",), "last"), 96),
        (Measure(("domain.web.workload.0.latency_seconds.mean",), "last", times=1000), 250),
        (Measure(("domain.web.cpu_ns",), "growth", ("domain.web.workload.0.units",)), 50_000_000),
        (Measure(("domain0.workload.*.units", "domain.*.workload.*.units"), "growth"), 20),
        (Measure(("domain0.cpu_ns",), "growth", ("domain0.cpu_ns",)), None),
        (Measure(("domain0.workload.*.units",), "growth"), None),
    ],
)
def test_figures(measure, figure):
    found = measured(measure, host(SECOND, 5), host(2 * SECOND, 25, 96), 2 * SECOND)

    assert figure == found


@pytest.mark.parametrize(
    "measure",
    [
        Measure(("domain.*.cpu_ns",), "growth"),
        Measure(("domain.db.cpu_ns",), "growth"),
        Measure(("domain.*.workload.*.units",), "per_second"),
        Measure(("domain0.cpu_ns",), "growth", ("domain.*.cpu_ns",)),
    ],
)
@pytest.mark.parametrize("later", [{}, {"db": 9}], ids=["gone", "started again"])
def test_growth_of_what_was_not_there_all_the_time_is_unknown(measure, later):
    before, after = guests(web=1, db=2), guests(web=1, **later)

    assert [None, None] == [
        measured(measure, *ends, 1) for ends in ((before, after), (after, before))
    ]


@pytest.mark.parametrize("how", ["growth", "last"])
def test_a_sum_with_a_part_that_is_unknown_is_unknown(how):
    known, partly = host(5, 1), host(None, 1)
    measure = Measure(("domain.*.cpu_ns", "domain0.cpu_ns"), how)

    assert measured(measure, known, known, 1) is not None
    assert None is measured(measure, known, partly, 1)


def test_a_guest_may_be_called_as_a_key_is():
    domains = (DomainSnapshot(1, "workload", cpu_ns=3),)
    found = HostSnapshot(1, 0, 0, "h", domains=domains)

    assert 3 == measured(Measure(("domain.workload.cpu_ns",), "last"), found, found, 1)


def guests(**domids: int) -> HostSnapshot:
    work = ({"kind": "cpu", "units": 5},)
    domains = [
        DomainSnapshot(domid, name, cpu_ns=5, workloads=work) for name, domid in domids.items()
    ]
    return HostSnapshot(1, 0, 0, "h", domains=(DomainSnapshot(0, "Domain-0", cpu_ns=5), *domains))


def test_of_several_paths_those_that_lead_somewhere_are_told():
    paths = ("domain.web.workload.0.bytes", "domain.web.workload.0.units")

    assert {"domain.web.workload.0.units"} == check_places(paths, host(0, 0))


def test_a_table_is_no_number():
    with pytest.raises(NoSuchPlace, match="is no number; go on with one of mean"):
        check_places(("domain.web.workload.0.latency_seconds",), host(0, 0))


def serving(**done):
    """Return a host whose domain 0 has done this for guests; there are web and db."""
    guests = (DomainSnapshot(1, "web"), DomainSnapshot(2, "db"))
    domain0 = DomainSnapshot(0, "Domain-0", on_behalf=done)
    return HostSnapshot(1, 0, 0, "h", domains=(domain0, *guests))


def test_what_domain_0_does_for_a_guest_begins_with_nothing():
    measure = Measure(("domain0.on_behalf.web.user_ns",), "growth")

    assert set(measure.of) == check_places(measure.of, serving())
    assert 7 == measured(measure, serving(), serving(web=ModeTimes(7, 0, 0)), SECOND)


@pytest.mark.parametrize("way", ["mail.user_ns", "web.users_ns", "web"])
def test_for_nobody_and_in_no_mode_it_does_nothing_that_can_be_asked(way):
    with pytest.raises(NoSuchPlace):
        check_places((f"domain0.on_behalf.{way}",), serving())
