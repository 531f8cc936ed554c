import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from dashboards.states import BALLOON, PRIORITY
from exporters.catalogue import CATALOGUE, GROUPS
from exporters.catalogue.toolstack import OPERATIONS
from exporters.catalogue.vcpus import WAIT_BOUNDS
from exporters.metric import Distribution, Kind, Metric
from hypervisor.telemetry import (
    BridgeSnapshot,
    DiskSnapshot,
    DomainSnapshot,
    HostSnapshot,
    LostCount,
    NicSnapshot,
    OverheadTime,
    PcpuSnapshot,
    ProfilingSession,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
    XenoprofSnapshot,
)
from tests.support.paths import ROOT
from tests.support.snapshots import NAMES, domain, full, grumble, stats, without

ALL = pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)


OWN = ("process_", "python_")


def points(name: str, step: int = 10) -> dict[tuple[str, ...], Any]:
    metric = next(metric for metric in CATALOGUE if metric.name == name)
    return dict(metric.points(full(step), stats(step)))


def test_each_name_occurs_once():
    names = Counter(metric.name for metric in CATALOGUE)
    assert {name: count for name, count in names.items() if count > 1} == {}


@ALL
def test_a_name_says_who_measures_it(metric: Metric):
    assert re.fullmatch(r"(xen|xenprof|process|python)_[a-z0-9_]+", metric.name)


@ALL
def test_the_suffix_says_the_kind(metric: Metric):
    suffixes = (metric.name.endswith("_total"), metric.name.endswith("_info"))
    assert (metric.kind is Kind.COUNTER, metric.kind is Kind.INFO) == suffixes


@ALL
def test_an_otel_name_is_in_our_namespace_or_the_hosts(metric: Metric):
    assert metric.otel.startswith(
        ("process.", "cpython.") if metric.name.startswith(OWN) else ("xen.", "xenprof.", "system.")
    )


@ALL
def test_the_help_is_a_sentence(metric: Metric):
    assert metric.help[0].isupper() or metric.help[0].isdigit()
    assert metric.help.endswith(".")


@ALL
def test_a_full_host_has_points_of_every_metric(metric: Metric):
    assert list(metric.points(full(), stats()))


@ALL
def test_points_have_a_value_for_every_label(metric: Metric):
    assert {len(metric.labels)} == {len(values) for values, _ in metric.points(full(), stats())}


@ALL
def test_no_series_occurs_twice(metric: Metric):
    series = [values for values, _ in metric.points(full(), stats())]
    assert len(series) == len(set(series))


def grown(metric: Metric, host: HostSnapshot, domain: str) -> dict[tuple[str, ...], Any]:
    """Return the points of a domain that are not 0."""
    found = dict(metric.points(host, stats()))
    return {labels: value for labels, value in found.items() if labels[0] == domain and value}


LOST = "xenprof_samples_lost_total"


def test_losses_outlive_a_destroyed_domain():
    (metric,) = (row for row in CATALOGUE if row.name == LOST)
    before = dict(metric.points(grumble(), stats()))

    after = dict(metric.points(without(grumble(), NAMES[3]), stats()))

    assert after == before


def test_a_series_of_losses_is_that_of_the_last_life_of_a_name():
    (metric,) = (row for row in CATALOGUE if row.name == LOST)
    lives = tuple(LostCount("x", "ring_full", number, number, f"u{number}") for number in (8, 9))
    gone = replace(grumble(), lost=lives)
    again = replace(gone, domains=(*gone.domains, domain(10, "x", 1)))

    assert [grown(metric, host, "x") for host in (gone, again)] == [
        {("x", "hypervisor", "ring_full"): 9},
        {},
    ]


@pytest.mark.parametrize("stage", ["interrupt", "daemon"])
def test_only_a_profiled_domain_has_losses_and_interrupts_tell_nothing_of_it(stage: str):
    (metric,) = (row for row in CATALOGUE if row.name == LOST)
    again, ended = domain(9, "x", 1), LostCount("x", "domain_destroyed", 5, 8, "u8")
    spent = OverheadTime("x", again.domid, again.uuid, stage, 1)
    host = replace(grumble(), domains=(again,), lost=(ended,), samples=(), overhead=(spent,))

    found = {labels[0] for labels in dict(metric.points(host, stats()))}

    assert ({"x"} if stage == "daemon" else set()) == found


@pytest.mark.parametrize(
    "metric", [row for row in CATALOGUE if row.name != LOST], ids=lambda row: row.name
)
def test_no_other_series_of_a_destroyed_domain_is_left(metric: Metric):
    after = without(grumble(), NAMES[3])
    assert NAMES[3] not in {
        value for values, _ in metric.points(after, stats()) for value in values
    }


@pytest.mark.parametrize(
    "metric", [m for m in CATALOGUE if m.kind is Kind.COUNTER], ids=lambda m: m.name
)
def test_a_counter_does_not_go_down_while_the_host_runs(metric: Metric):
    before, after = (dict(metric.points(grumble(step), stats(step))) for step in (10, 11))
    assert [series for series in before if after[series] < before[series]] == []  # type: ignore[operator]


def test_wait_is_in_seconds_with_one_bucket_more_than_bounds():
    value = points("xen_vcpu_wait_seconds")[("ossvm02", "wake")]
    assert isinstance(value, Distribution)
    assert (len(WAIT_BOUNDS) + 1, 1.0) == (len(value.counts), value.sum)


def test_a_domain_without_limit_has_no_maximum_series():
    assert ("Domain-0",) not in points("xen_domain_memory_maximum_bytes")


def test_affinity_any_is_told_from_a_list():
    assert {("ossvm02", "0", "any"), ("ossvm02", "1", "0,1")} == {
        series for series in points("xen_vcpu_affinity_info") if series[0] == "ossvm02"
    }


def test_cap_is_in_pcpus():
    assert points("xen_domain_sched_cap_ratio")[("ossvm02",)] == 0.5


def test_runstates_of_a_vcpu_sum_to_its_age():
    states = points("xen_vcpu_state_seconds_total", step=7)
    assert pytest.approx(sum(v for s, v in states.items() if s[:2] == ("ossvm02", "0"))) == 7.0


def test_outcomes_sum_to_what_xenoprof_took():
    xenoprof = grumble().xenoprof
    assert xenoprof is not None
    assert xenoprof.total == sum(points("xen_xenoprof_samples_total").values())


def test_a_domain_says_why_it_has_shut_down():
    assert points("xen_domain_shutdown_reason") == {("crashed", "crash"): 1}


def of_metric(name: str, host: HostSnapshot) -> dict[tuple[str, ...], Any]:
    (metric,) = (row for row in CATALOGUE if row.name == name)
    return dict(metric.points(host, stats()))


def test_operations_start_at_zero_so_that_the_first_one_is_growth():
    fresh = of_metric("xen_toolstack_operation_seconds", replace(grumble(), operations=()))

    assert {sum(value.counts) for value in fresh.values()} == {0}
    assert {("block-detach", "failed"), ("create", "done"), ("restart", "done")} <= fresh.keys()


def test_a_host_without_toolstack_has_no_operations():
    without_toolstack = replace(grumble(), operations=(), events={})
    assert of_metric("xen_toolstack_operation_seconds", without_toolstack) == {}


def test_every_operation_that_xend_records_starts_at_zero():
    sources = (ROOT / "hypervisor" / "toolstack").rglob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in sources]
    kinds = {kind for text in texts for kind in re.findall(r'@recorded\("([a-z-]+)"\)', text)}

    assert kinds | {"restart"} == set(OPERATIONS)


SESSION = ProfilingSession("0" * 32, 0, ("GLOBAL_POWER_EVENTS:100000:1:1:1",), (0,), (1,))
FRESH = replace(
    grumble(),
    profiling=SESSION,
    xenoprof=XenoprofSnapshot("profiling", (0,), (1,), 0, 0, 0, 0, 0, 0, 0, 0),
    samples=(),
    lost=(),
    overhead=(),
)
"""A host whose first session has begun just now."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (LOST, ("DesktopVM", "hypervisor", "ring_full")),
        (LOST, ("Domain-0", "driver", "event_buffer_overflow")),
        ("xen_profile_samples_total", ("DesktopVM", "kernel", "GLOBAL_POWER_EVENTS")),
        ("xen_profile_overhead_seconds_total", ("Domain-0", "daemon")),
    ],
)
def test_what_a_session_counts_starts_at_zero_for_domains_that_it_profiles(
    name: str, expected: tuple[str, ...]
):
    found = of_metric(name, FRESH)

    assert found[expected] == 0
    assert {labels[0] for labels in found} == {"Domain-0", "DesktopVM"}


@pytest.mark.parametrize(
    ("name", "series", "states", "now"),
    [
        ("xen_domain_balloon_state", ("ossvm02",), tuple(BALLOON)[1:], "reached"),
        ("xen_vcpu_sched_priority", ("ossvm02", "0"), tuple(PRIORITY)[1:], "under"),
    ],
)
def test_a_state_that_is_left_has_a_series_of_zero(
    name: str, series: tuple[str, ...], states: tuple[str, ...], now: str
):
    found = {labels[-1]: value for labels, value in points(name).items() if labels[:-1] == series}
    assert found == {state: int(state == now) for state in states}


def test_a_cap_of_zero_is_no_cap_and_has_no_series():
    assert ("Domain-0",) not in points("xen_domain_sched_cap_ratio")


def test_work_for_domains_that_are_not_shown_is_told_as_that_for_the_ended_ones():
    first, *_ = grumble().domains
    alone = replace(grumble(), domains=(first,))
    (metric,) = (row for row in CATALOGUE if row.name == "xen_domain_on_behalf_seconds_total")
    spent = dict(metric.points(alone, stats()))
    assert {labels[1] for labels in spent} == {"Domain-0", "(ended)"}
    total = sum(value for value in spent.values() if isinstance(value, float))
    assert total == pytest.approx(5 * 0.5)


def test_of_domains_with_one_name_the_newest_has_the_series():
    twins = replace(grumble(), domains=(domain(1, "x", 3), domain(7, "x", 2)))
    (metric,) = (row for row in CATALOGUE if row.name == "xen_domain_cpu_seconds_total")
    assert list(metric.points(twins, stats())) == [(("x",), 1.2)]


BARE = HostSnapshot(
    generation=1,
    time_ns=1,
    unix_ns=1,
    host="bare",
    domains=(
        DomainSnapshot(
            domid=1,
            name="x",
            cpu_ns=5,
            vcpus=(VcpuSnapshot(0),),
            vifs=(VifSnapshot(0),),
            vbds=(VbdSnapshot(51712),),
        ),
    ),
    pcpus=(PcpuSnapshot(0),),
    nics=(NicSnapshot("peth0"),),
    disks=(DiskSnapshot("sda"),),
    bridges=(BridgeSnapshot("xenbr0"),),
)
"""A host that knows only names and processor time."""


def test_what_a_host_does_not_know_has_no_series():
    known = {
        metric.name
        for group in GROUPS
        if group not in ("service", "process")
        for metric in GROUPS[group]
        if list(metric.points(BARE, stats()))
    }
    assert known == {
        "xen_host_up",
        "xen_host_info",
        "xen_host_time_seconds",
        "xen_host_uptime_seconds_total",
        "xen_pcpu_info",
        "xen_domain_info",
        "xen_domain_vcpus",
        "xen_domain_cpu_seconds_total",
        "xen_vif_info",
        "xen_nic_info",
        "xen_vbd_info",
    }


def test_no_value_of_a_poor_host_is_none():
    points = [point for metric in CATALOGUE for point in metric.points(BARE, stats())]
    assert [value for labels, value in points if value is None or None in labels] == []


@pytest.mark.parametrize(("second", "expected"), [(True, 2), (False, 1), (None, None)])
def test_vcpus_in_use_are_known_when_each_is(second, expected):
    (metric,) = (metric for metric in CATALOGUE if metric.name == "xen_domain_vcpus_online")
    vcpus = (VcpuSnapshot(0, online=True), VcpuSnapshot(1, online=second))
    host = replace(full(1), domains=(DomainSnapshot(1, "web", vcpus=vcpus),))

    told = {} if expected is None else {("web",): expected}
    assert told == dict(metric.points(host, stats(1)))
