"""The metrics of an agent about itself: what it costs."""

from typing import Iterator, Tuple

from hypervisor.live.agent.pages.exposition import Labels, Metric
from hypervisor.live.agent.pages.points import of_each, of_host, seconds
from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.report.fields import SamplerReport


def _sampler(shown: Shown) -> Iterator[Tuple[Labels, SamplerReport]]:
    if shown.report.sampler is not None:
        yield (), shown.report.sampler


# fmt: off
COSTS = (
    Metric("xenprof_agent_cpu_seconds_total", "counter",
           "Processor time of the agent, user and system.", (),
           of_host(lambda s: seconds(s.reading.cost.cpu_ns))),
    Metric("xenprof_agent_resident_memory_bytes", "gauge",
           "Memory of the agent that is resident.", (),
           of_host(lambda s: s.reading.cost.resident_bytes)),
    Metric("xenprof_agent_hypercalls_total", "counter", "Hypercalls that polls have made.", (),
           of_host(lambda s: s.reading.cost.hypercalls)),
    Metric("xenprof_agent_polls_total", "counter", "Polls of the host, failed ones included.", (),
           of_host(lambda s: s.reading.cost.polls)),
    Metric("xenprof_agent_failed_polls_total", "counter",
           "Polls of the host that gave no report.", (),
           of_host(lambda s: s.reading.cost.failed_polls)),
    Metric("xenprof_agent_polling_seconds_total", "counter",
           "How long all polls together took.", (),
           of_host(lambda s: seconds(s.reading.cost.polling_ns))),
    Metric("xenprof_agent_poll_duration_seconds", "gauge", "How long the last poll took.", (),
           of_host(lambda s: seconds(s.report.read_ns))),
    Metric("xenprof_agent_poll_cpu_seconds", "gauge",
           "Processor time of the agent for the last poll.", (),
           of_host(lambda s: seconds(s.report.cpu_ns))),
    Metric("xenprof_agent_sampler_rounds_total", "counter",
           "Rounds in which the flags of vcpus were sampled; no series = they are not.", (),
           of_each(lambda s: list(_sampler(s)), lambda one: one.rounds)),
    Metric("xenprof_agent_sampler_skipped_total", "counter",
           "Vcpus that were left out of a round, as they were on the sampler's own pcpu.", (),
           of_each(lambda s: list(_sampler(s)), lambda one: one.skipped)),
    Metric("xenprof_agent_sampler_cpu_seconds_total", "counter",
           "Processor time of the agent for sampling.", (),
           of_each(lambda s: list(_sampler(s)), lambda one: seconds(one.cpu_ns))),
    Metric("xenprof_agent_sampler_period_seconds", "gauge", "Time between two rounds.", (),
           of_each(lambda s: list(_sampler(s)), lambda one: seconds(one.period_ns))),
    Metric("xenprof_agent_problems", "gauge",
           "Kinds of data or domains that the last poll could not read; /api/v1/report says why.",
           (), of_host(lambda s: len(s.report.problems))),
)
"""Metrics of the agent itself, which no other program has."""
# fmt: on
