import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exporters.scrape.renderer import Renderer
from hypervisor.live.agent.pages.metrics import METRICS, exposition
from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.report.fields import (
    DomainReport,
    HostReport,
    PcpuReport,
    VbdReport,
    VcpuReport,
    VifReport,
    WaitsReport,
)
from hypervisor.live.snapshots import snapshot_of
from hypervisor.shutdown import REASONS
from hypervisor.telemetry import DATA_KINDS, DATA_SOURCES
from tests.support.live.agent_parts import bare_report, reading
from tests.support.live.reports import report
from tests.support.snapshots import stats

OF_THE_PROGRAM = ("xenprof_up", "xenprof_start_time_seconds", "xenprof_model_time_seconds_total")
"""Metrics of the product that are about the program, not in a report."""

texts = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["web", 'a"b\\c', "two\nlines", "\x1b[31m", "\ud800", "a=1,b", ""]
)
numbers = st.integers(0, 2**63)
small = st.integers(0, 5)
maybe_numbers = st.none() | numbers
maybe_texts = st.none() | texts
truths = st.booleans()
maybe_truths = st.none() | truths


def several(strategy, key):
    return st.lists(strategy, max_size=3, unique_by=key)


vcpus = st.builds(
    VcpuReport,
    small, maybe_truths, maybe_truths, maybe_truths, maybe_numbers, st.none() | small,
    st.none() | st.lists(small), maybe_numbers, maybe_numbers, maybe_numbers, maybe_numbers,
)  # fmt: skip
vifs = st.builds(VifReport, small, *[maybe_texts] * 3, *[maybe_numbers] * 8)
vbds = st.builds(VbdReport, small, *[maybe_texts] * 4, *[maybe_numbers] * 8)
domains = st.builds(
    DomainReport,
    domid=st.integers(0, 3),
    uuid=texts,
    name=maybe_texts,
    kind=maybe_texts,
    dying=truths,
    shutdown=truths,
    paused=truths,
    blocked=truths,
    running=truths,
    shutdown_reason=st.none() | st.integers(-1, 300),
    created_unix_ns=maybe_numbers,
    cpu_ns=numbers,
    memory_kib=numbers,
    maximum_kib=maybe_numbers,
    is_memory_unlimited=truths,
    target_kib=maybe_numbers,
    weight=st.none() | small,
    cap_percent=st.none() | st.integers(0, 400),
    wake_waits=st.none(),
    preempted_waits=st.none(),
    vcpus=several(vcpus, lambda one: one.vcpu),
    vifs=several(vifs, lambda one: one.vif),
    vbds=several(vbds, lambda one: one.device),
)
reports = st.builds(
    bare_report,
    time_ns=numbers,
    unix_ns=numbers,
    xen_major=st.none() | small,
    xen_minor=st.none() | small,
    xen_extra=maybe_texts,
    tools=maybe_texts,
    scheduler=maybe_texts,
    cpu_type=maybe_texts,
    arch=maybe_texts,
    mhz=maybe_numbers,
    memory_kib=maybe_numbers,
    free_kib=maybe_numbers,
    scrub_kib=maybe_numbers,
    domains=several(domains, lambda one: one.domid),
    pcpus=several(
        st.builds(
            PcpuReport,
            small,
            st.none() | small,
            st.none() | small,
            st.none() | small,
            maybe_numbers,
        ),
        lambda one: one.pcpu,
    ),
    sources=st.dictionaries(st.sampled_from(DATA_KINDS), st.sampled_from(DATA_SOURCES)),
)


def page(report: HostReport) -> str:
    return exposition("1.0").page(report.host, Shown(reading(report))).decode()


def families(text: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return the comments and the sorted series of each metric of a page, by its name."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            found[name] = ([], [])
        found[name][not line.startswith("# ")].append(line)
    return {name: (comments, sorted(series)) for name, (comments, series) in found.items()}


TWINS = (
    VbdReport(0),
    VbdReport(1, ""),
    VbdReport(2, "xvda"),
    VbdReport(3, "xvda"),
    VbdReport(4, "0"),
)


@settings(max_examples=60, deadline=None)
@given(reports)
@example(bare_report(domains=[DomainReport(1, "u", vbds=TWINS)]))
def test_pages_are_those_of_the_product_for_all_that_an_agent_has(report):
    ours = families(page(report))
    snapshot = snapshot_of(report, report.host)
    theirs = families(Renderer().render(snapshot, stats(), openmetrics=False).decode())

    names = {metric.name for metric in METRICS} - set(OF_THE_PROGRAM)
    assert {name: theirs[name] for name in names} == {name: ours[name] for name in names}


def test_waits_of_a_trace_are_those_of_the_product():
    made = report()
    waits = WaitsReport(tuple(range(14)), 5_123_456_789)
    domain = made.domains[0]._replace(wake_waits=waits, preempted_waits=waits)
    traced = made._replace(domains=(domain, *made.domains[1:]))
    snapshot = snapshot_of(traced, traced.host)
    theirs = families(Renderer().render(snapshot, stats(), openmetrics=False).decode())

    assert theirs["xen_vcpu_wait_seconds"] == families(page(traced))["xen_vcpu_wait_seconds"]


def test_what_is_about_the_program_has_names_types_and_helps_of_the_product():
    ours = families(page(bare_report()))
    theirs = families(
        Renderer().render(snapshot_of(bare_report(), "x"), stats(), openmetrics=False).decode()
    )

    names = (*OF_THE_PROGRAM, "xenprof_build_info")
    assert {name: theirs[name][0] for name in names} == {name: ours[name][0] for name in names}


def test_all_words_for_why_a_domain_has_shut_down_are_those_of_the_product():
    stopped = [
        DomainReport(number, "u", str(number), shutdown=True, shutdown_reason=number)
        for number in range(len(REASONS))
    ]
    _, series = families(page(bare_report(domains=stopped)))["xen_domain_shutdown_reason"]

    assert [
        f'xen_domain_shutdown_reason{{domain="{number}",host="xen1",reason="{reason}"}} 1'
        for number, reason in enumerate(REASONS)
    ] == series


@pytest.mark.parametrize(
    ("name", "value"), [("xenprof_up", "1"), ("xenprof_start_time_seconds", "1790000000.0")]
)
def test_an_agent_tells_that_it_reads_and_since_when(name, value):
    assert [f'{name}{{host="xen1"}} {value}'] == families(page(bare_report()))[name][1]


def test_a_name_that_a_guest_has_chosen_breaks_no_line():
    evil = 'x"} 1\nxen_domain_vcpus{domain="dom0'
    report = bare_report(domains=[DomainReport(1, "u", evil, vcpus=[VcpuReport(0)])])

    assert 1 == page(report).count("\nxen_domain_vcpus{")
