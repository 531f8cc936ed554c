from dataclasses import replace

import pytest

from hypervisor.errors import Refused, UnknownDomain
from tests.support.fake_hypervisor import GUEST, MACHINE, Bench, refusal


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST)
    bench.fake.calls.clear()
    return bench


@pytest.fixture
def xend(bench):
    return bench.xend


@pytest.fixture
def fake(bench):
    return bench.fake


def test_a_guest_gets_the_next_id_and_runs():
    bench = Bench()
    assert bench.create(GUEST) == 1
    assert bench.fake.calls == [("unpause", 1)]


def test_a_guest_created_paused_stays_paused():
    bench = Bench()
    bench.create(GUEST, paused=True)
    assert bench.fake.calls == []


def test_a_guest_has_the_documented_defaults():
    bench = Bench()
    bench.create({"name": "a", "kernel": "/boot/vmlinuz"})
    spec = bench.fake.specs[1]
    assert (
        spec.vcpus,
        spec.memory_kib,
        spec.maximum_kib,
        spec.weight,
        spec.cap_percent,
        spec.affinity,
        spec.on_poweroff,
        spec.on_reboot,
        spec.on_crash,
    ) == (1, 128 * 1024, 128 * 1024, 256, 0, None, "destroy", "restart", "restart")


def test_maxmem_below_memory_is_raised_to_it():
    bench = Bench()
    bench.create({**GUEST, "maxmem": 64})
    assert bench.fake.specs[1].maximum_kib == 128 * 1024


def test_a_random_mac_lies_in_xens_range():
    bench = Bench()
    bench.create({**GUEST, "vif": [""]})
    mac = bench.fake.specs[1].vifs[0].mac
    prefix, tail = mac[:9], mac[9:]
    assert prefix == "00:16:3e:"
    assert int(tail[:2], 16) <= 0x7F


def test_two_hosts_with_one_seed_draw_the_same_uuid_and_mac():
    one, other = Bench(), Bench()
    for bench in (one, other):
        bench.create({**GUEST, "vif": ["", ""]})
    assert one.fake.specs[1] == other.fake.specs[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "Missing VM Name"),
        ({"name": "a b"}, "Invalid VM Name 'a b'; use letters, digits and _-.:/+"),
        ({"kernel": ""}, "No kernel specified"),
        ({"memory": 0}, "Invalid memory size"),
        ({"memory": "lots"}, "invalid value for memory: 'lots' is not a number"),
        ({"vcpus": 33}, "Invalid VCPUs: 33; a domain has 1 to 32"),
        ({"disk": ["sda"]}, "Invalid disk specifier: sda"),
        (
            {"disk": ["phy:a,xvda,w", "phy:b,xvda,w"]},
            "Device xvda (51712, vbd) is already connected.",
        ),
        ({"vif": ["x=1"]}, "Invalid vif option: x"),
        ({"disk": 3}, "invalid value for disk: a list of strings is needed"),
        ({"cpus": "9"}, "(22, 'Invalid argument')"),
        (
            {"on_crash": "explode"},
            "invalid value for on_crash: 'explode'; use destroy, restart, preserve, rename-restart",
        ),
        ({"uuid": "1-2"}, "invalid value for uuid: '1-2'; write 32 hexadecimal digits"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_in_one_line(change, message):
    assert message == refusal(Bench().create, {**GUEST, **change})


def test_a_name_in_use_is_refused_with_the_other_domains_id(xend):
    assert refusal(xend.domains.create, GUEST) == "VM name 'web' already in use by domain 1"


def test_a_uuid_in_use_is_refused_with_the_other_domains_id(xend, fake):
    uuid = fake.specs[1].uuid
    message = refusal(xend.domains.create, {**GUEST, "name": "b", "uuid": uuid})
    assert f"VM uuid {uuid} already in use by domain 1" == message


def test_a_config_file_without_name_gives_its_own():
    bench = Bench()
    bench.result(
        bench.xend.domains.create_from_text("kernel = '/k'", "/etc/xen/mail", {"vcpus": ["4"]})
    )
    assert (bench.fake.specs[1].name, bench.fake.specs[1].vcpus) == ("mail", 4)


def test_3_0_3_stores_no_weight_and_cap_of_a_configuration():
    bench = Bench()
    bench.create({**GUEST, "cpu_weight": 512, "cpu_cap": 50})
    assert bench.xend.resources.sched_credit("web") == (256, 0)


def test_3_1_applies_weight_and_cap_of_a_configuration():
    bench = Bench(tools="3.1")
    bench.create({**GUEST, "cpu_weight": 512, "cpu_cap": 50})
    assert bench.xend.resources.sched_credit("web") == (512, 50)


@pytest.mark.parametrize("verb", ["pause", "unpause", "destroy"])
@pytest.mark.parametrize("reference", ["0", "Domain-0"])
def test_domain_0_is_privileged_however_it_is_called(xend, verb, reference):
    message = refusal(getattr(xend.domains, verb), reference)
    assert f"Cannot {verb} privileged domain {reference}" == message


@pytest.mark.parametrize("reference", ["nosuch", "7", "", "1.0", "٣", "99999999999999999999"])
def test_an_unknown_domain_is_named_as_typed(xend, reference):
    with pytest.raises(UnknownDomain) as unknown:
        xend.domains.pause(reference)
    assert f"Domain '{reference}' does not exist." == str(unknown.value)


def test_a_number_is_a_name_first_and_an_id_second(bench):
    bench.create({**GUEST, "name": "1"})
    bench.fake.calls.clear()
    bench.xend.domains.pause("1")
    assert bench.fake.calls == [("pause", 2)]


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


def test_a_refused_create_leaves_no_domain(xend, fake):
    refusal(xend.domains.create, GUEST)
    assert list(fake.specs) == [0, 1]


def test_info_has_the_rows_of_3_0_3_in_order(xend):
    assert list(xend.views.info()) == [
        "host", "release", "version", "machine", "nr_cpus", "nr_nodes", "sockets_per_node",
        "cores_per_socket", "threads_per_core", "cpu_mhz", "hw_caps", "total_memory",
        "free_memory", "xen_major", "xen_minor", "xen_extra", "xen_caps", "xen_pagesize",
        "platform_params", "xen_changeset", "cc_compiler", "cc_compile_by", "cc_compile_domain",
        "cc_compile_date", "xend_config_format",
    ]  # fmt: skip


def test_info_of_3_1_names_the_scheduler_after_the_capabilities():
    rows = list(Bench(tools="3.1").xend.views.info())
    assert rows.index("xen_caps") + 1 == rows.index("xen_scheduler")


def test_info_rounds_memory_down_to_mib(xend):
    info = xend.views.info()
    assert (info["total_memory"], info["free_memory"]) == ("4095", "384")
