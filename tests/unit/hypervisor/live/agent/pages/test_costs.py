import pytest

from exporters.catalogue import CATALOGUE
from hypervisor.live.agent.pages.costs import COSTS
from hypervisor.live.agent.pages.metrics import exposition
from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.report.fields import HostReport, SamplerReport
from tests.support.live.agent_parts import SECOND_NS, bare_report, reading


def values(report: HostReport, name: str) -> list[str]:
    """Return the values of a metric that has no labels."""
    page = exposition("1.0").page("xen1", Shown(reading(report))).decode()
    series = f'{name}{{host="xen1"}} '
    return [line[len(series) :] for line in page.splitlines() if line.startswith(series)]


def test_the_costs_of_an_agent_have_names_that_are_nobody_elses():
    names = {metric.name for metric in COSTS}

    assert set() == names & {metric.name for metric in CATALOGUE}
    assert {"xenprof_agent_"} == {name[: len("xenprof_agent_")] for name in names}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("xenprof_agent_cpu_seconds_total", "0.5"),
        ("xenprof_agent_resident_memory_bytes", "17825792"),
        ("xenprof_agent_hypercalls_total", "42"),
        ("xenprof_agent_polls_total", "3"),
        ("xenprof_agent_failed_polls_total", "1"),
        ("xenprof_agent_polling_seconds_total", "0.25"),
        ("xenprof_agent_poll_duration_seconds", "1e-06"),
        ("xenprof_agent_poll_cpu_seconds", "5e-07"),
        ("xenprof_agent_sampler_rounds_total", "7"),
        ("xenprof_agent_sampler_skipped_total", "2"),
        ("xenprof_agent_sampler_cpu_seconds_total", "1.0"),
        ("xenprof_agent_sampler_period_seconds", "0.02"),
        ("xenprof_agent_problems", "2"),
    ],
)
def test_an_agent_tells_what_it_costs(name, value):
    report = bare_report(
        sampler=SamplerReport(7, 2, SECOND_NS, SECOND_NS // 50), problems=["one", "two"]
    )

    assert [value] == values(report, name)


def test_what_was_not_sampled_has_no_cost():
    assert [] == values(bare_report(), "xenprof_agent_sampler_rounds_total")
