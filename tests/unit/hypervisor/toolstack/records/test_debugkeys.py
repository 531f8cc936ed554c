from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.telemetry import HostSnapshot
from hypervisor.toolstack.records.debugkeys import debug_key, debug_keys
from tests.support.snapshots import grumble


def on_pcpu_0(*states: tuple[str, str, int]) -> HostSnapshot:
    """Return a host of domains with one vcpu on pcpu 0: (runstate, priority, credit)."""
    host = grumble()
    domains = tuple(
        replace(
            domain,
            vcpus=(
                replace(domain.vcpus[0], pcpu=0, runstate=state, priority=priority, credit=credit),
            ),
        )
        for domain, (state, priority, credit) in zip(host.domains, states, strict=False)
    )
    return replace(host, domains=domains, pcpus=host.pcpus[:2])


def queue(host: HostSnapshot) -> list[str]:
    lines = debug_key("r", host)
    first = next(n for n, line in enumerate(lines) if line.startswith("CPU[00]"))
    last = next(n for n, line in enumerate(lines) if line.startswith("CPU[01]"))
    return [line.split("]")[0].strip() for line in lines[first + 1 : last]]


def test_a_queue_is_in_order_of_priority():
    host = on_pcpu_0(("running", "over", -3), ("runnable", "over", -9), ("runnable", "under", 5))
    assert ["run: [0.0", "1: [2.0", "2: [1.0", "3: [32767.0"] == queue(host)


def test_an_idle_pcpu_runs_its_idle_vcpu():
    assert ["run: [32767.0"] == queue(on_pcpu_0(("blocked", "under", 5)))


def test_the_idlers_are_those_that_run_nothing():
    assert "idlers: 0x2" in debug_key("r", on_pcpu_0(("running", "under", 5)))


def test_a_sleeper_with_credit_is_active_still():
    lines = debug_key("r", on_pcpu_0(("blocked", "under", 5), ("blocked", "under", 0)))
    start = lines.index("active vcpus:")
    assert "\t  1: [0.0] pri=-1 cpu=0 credit=5 (0+0) {a=0 i=0 w=256}" == lines[start + 1]
    assert lines[start + 2].startswith("NOW=")


def test_the_balance_is_the_sum_of_the_active_credits():
    host = on_pcpu_0(("running", "under", 5), ("runnable", "over", -9))
    assert "\tcredit balance     = -4" in debug_key("r", host)


def test_the_credit_of_a_period_follows_the_version():
    host = on_pcpu_0(("running", "under", 5))
    both = debug_key("r", host) + debug_key("r", replace(host, xen_minor=1))
    assert ["\tcredit             = 60", "\tcredit             = 600"] == [
        line for line in both if line.startswith("\tcredit   ")
    ]


def test_a_parked_vcpu_has_the_lowest_priority_in_3_0_3():
    lines = debug_key("r", on_pcpu_0(("runnable", "parked", -40)))
    assert "\t  1: [0.0] pri=-65 cpu=0 credit=-40 (0+0) {a=0 i=0 w=256}" in lines


def test_statistics_are_those_that_the_host_counts():
    host = replace(grumble(), counters={"schedule": 7, "grant_map": 3})
    lines = debug_key("r", host)
    start = lines.index("stats:")
    assert ["\tschedule                       = 7", "active vcpus:"] == lines[start + 1 : start + 3]


def test_affinities_are_ranges():
    host = grumble()
    vcpu = replace(host.domains[0].vcpus[0], affinity=(0, 1, 3))
    domain = replace(host.domains[0], vcpus=(vcpu,))
    lines = debug_key("q", replace(host, domains=(domain,)))
    assert any(line.endswith("cpu_affinity={0-1,3}") for line in lines)


@given(st.characters(exclude_characters="hqrt"))
def test_a_key_without_a_handler_is_silent(key):
    assert [] == debug_key(key, grumble())


def test_several_keys_are_pressed_one_after_the_other():
    host = grumble()
    assert debug_key("t", host) + debug_key("r", host) == debug_keys("tr", host)
