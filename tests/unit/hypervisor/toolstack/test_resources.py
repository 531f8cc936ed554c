from dataclasses import replace

import pytest

from hypervisor.errors import Refused
from tests.support.fake_hypervisor import GUEST, MACHINE, Bench, refusal


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 0}, "weight is out of range"),
        ({"weight": 65536}, "weight is out of range"),
        ({"cap_percent": -1}, "cap is out of range"),
        ({"cap_percent": 201}, "cap is out of range"),
    ],
)
def test_credit_parameters_have_xends_limits(xend, settings, message):
    assert message == refusal(xend.resources.set_sched_credit, "web", **settings)


def test_credit_parameters_at_the_limits_are_passed_on(xend, fake):
    xend.resources.set_sched_credit("web", weight=65535, cap_percent=200)
    assert fake.calls == [("credit", 1, 65535, 200)]


@pytest.mark.parametrize(
    ("tools", "message"),
    [("3.0.3", "(22, 'Invalid argument')"), ("3.1", "Xen is running with the sedf scheduler")],
)
def test_credit_parameters_need_the_credit_scheduler(tools, message):
    bench = Bench(tools=tools, machine=replace(MACHINE, scheduler="sedf"))
    assert message == refusal(bench.xend.resources.sched_credit, "0")


@pytest.mark.parametrize(("asked", "online"), [(1, 1), (2, 2), (9, 2), (0, 1)])
def test_vcpu_set_of_3_0_3_stays_between_one_and_the_configured(bench, asked, online):
    bench.xend.resources.set_vcpus("web", asked)
    path = "/local/domain/1/cpu"
    written = [bench.store.read(f"{path}/{vcpu}/availability") for vcpu in (0, 1)]
    assert written == (["online"] * online + ["offline"])[:2]


def test_vcpu_set_of_3_1_refuses_zero():
    bench = Bench(tools="3.1")
    bench.create(GUEST)
    assert refusal(bench.xend.resources.set_vcpus, "web", 0) == "Invalid VCPUs"


def test_pinning_all_vcpus_pins_each(xend, fake):
    xend.resources.pin_vcpu("web", None, [1, 2])
    assert fake.calls == [("affinity", 1, 0, (1, 2)), ("affinity", 1, 1, (1, 2))]


def test_pinning_to_every_pcpu_and_more_is_any_cpu(xend, fake):
    xend.resources.pin_vcpu("web", 0, range(64))
    assert fake.calls == [("affinity", 1, 0, None)]


def test_pinning_to_pcpus_that_do_not_exist_is_refused(xend):
    assert refusal(xend.resources.pin_vcpu, "web", 0, [4, 5]) == "(22, 'Invalid argument')"


def test_pinning_a_vcpu_that_does_not_exist_is_refused(xend):
    assert refusal(xend.resources.pin_vcpu, "web", 2, [0]) == "(3, 'No such process')"


def test_mem_set_passes_the_target_on_even_above_the_maximum(bench):
    bench.xend.resources.set_memory("web", 1024)
    assert bench.store.read("/local/domain/1/memory/target") == str(1024 * 1024)


def test_mem_max_below_what_the_domain_has_is_an_invalid_argument(xend):
    assert refusal(xend.resources.set_maximum_memory, "web", 127) == "(22, 'Invalid argument')"


def test_mem_max_sets_the_hypervisors_limit(xend, fake):
    xend.resources.set_maximum_memory("web", 300)
    assert fake.states[1].maximum_kib == 300 * 1024


def test_mem_set_to_nothing_is_refused(xend):
    with pytest.raises(Refused, match="Invalid memory size"):
        xend.resources.set_memory("web", 0)
