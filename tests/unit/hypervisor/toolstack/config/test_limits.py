import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import Refused, ScenarioError
from hypervisor.model.scenario.spec import parse_scenario
from hypervisor.toolstack.config.devices import VifSpec
from hypervisor.toolstack.config.limits import HostKind, LimitExceeded, check_limits, check_network
from hypervisor.toolstack.config.settings import domain0_spec, domain_spec

HOST = HostKind()
OLD_HOST = HostKind(arch="i386")
PV = domain_spec(
    {"name": "web", "kernel": "/boot/vmlinuz", "memory": 64},
    tools="3.0.3", pcpus=4, draw=random.Random(1),
)  # fmt: skip
HVM = replace(PV, kind="hvm")
GIB = 2**20
ADVICE = "; start the service with --no-support-limits to lift it"


def refusal(spec, host=HOST):
    with pytest.raises(LimitExceeded) as refused:
        check_limits(spec, host)
    return str(refused.value)


def with_memory(spec, kib):
    return replace(spec, memory_kib=kib, maximum_kib=kib)


@pytest.mark.parametrize(
    ("spec", "host", "message"),
    [
        (
            replace(PV, vifs=(VifSpec(),) * 4), HOST,
            "RHEL 5 supports 3 virtual NICs per domain, not 4 "
            "(Red Hat Summit 2007, RHEL-5 Virtualization Status)",
        ),
        (
            replace(HVM, vcpus=2), HOST,
            "RHEL 5 supports a single processor in a fully virtualized guest, not 2 "
            "(Red Hat Summit 2007, RHEL-5 Virtualization Status)",
        ),
        (
            replace(PV, vcpus=33), HOST,
            "RHEL 5 supports 32 processors in a domain, not 33 "
            "(Red Hat Summit 2007, RHEL-5 Virtualization Status)",
        ),
        (
            with_memory(PV, 17 * GIB), OLD_HOST,
            "RHEL 5 supports 16384 MiB for a domain on i386, not 17408 MiB "
            "(Red Hat Summit 2007, RHEL-5 Virtualization Status)",
        ),
        (
            replace(domain0_spec(vcpus=1, memory_kib=GIB), os="rhel4"), HOST,
            "RHEL 4 runs as a guest only, not in Domain-0 "
            "(Red Hat Summit 2007, RHEL-4 Virtualization Status)",
        ),
        (
            replace(PV, os="windows"), HOST,
            "windows runs fully virtualized only: it has no kernel for Xen "
            "(Red Hat Summit 2007, RHEL5/Virt Features)",
        ),
    ],
)  # fmt: skip
def test_a_limit_is_told_with_its_source_and_how_to_lift_it(spec, host, message):
    assert message + ADVICE == refusal(spec, host)


@pytest.mark.parametrize(
    ("host", "guest", "kind", "runs"),
    [
        ("i386", "i386", "pv", True),
        ("i386", "i386", "hvm", True),
        ("i386", "x86_64", "pv", False),
        ("i386", "x86_64", "hvm", False),
        ("x86_64", "i386", "pv", False),
        ("x86_64", "i386", "hvm", True),
        ("x86_64", "x86_64", "pv", True),
        ("x86_64", "x86_64", "hvm", True),
        ("i386", "", "pv", True),
        ("x86_64", "", "pv", True),
    ],
)
def test_the_compatibility_matrix_says_which_guest_runs_where(host, guest, kind, runs):
    spec = replace(PV, kind=kind, arch=guest)
    try:
        check_limits(spec, HostKind(arch=host))
    except LimitExceeded as refused:
        assert (runs, refused.key) == (False, "arch")
    else:
        assert runs


@pytest.mark.parametrize(
    ("spec", "host", "mib"),
    [
        (PV, OLD_HOST, 16 * 1024),
        (PV, HOST, 64 * 1024),
        (HVM, OLD_HOST, 1536),
        (HVM, HOST, 64 * 1024),
    ],
    ids=["pv-i386", "pv-x86_64", "hvm-i386", "hvm-x86_64"],
)
def test_memory_is_supported_up_to_its_limit_and_no_further(spec, host, mib):
    check_limits(with_memory(spec, mib * 1024), host)
    with pytest.raises(LimitExceeded):
        check_limits(with_memory(spec, mib * 1024 + 1024), host)


def test_the_ceiling_for_ballooning_counts_too():
    with pytest.raises(LimitExceeded) as refused:
        check_limits(replace(PV, maximum_kib=65 * GIB), HOST)
    assert refused.value.key == "maxmem"


@given(st.integers(0, 3), st.integers(1, 32), st.integers(1, 64 * 1024))
def test_what_is_inside_all_limits_is_accepted(vifs, vcpus, mib):
    guest = with_memory(replace(PV, vifs=(VifSpec(),) * vifs, vcpus=vcpus), mib * 1024)
    check_limits(guest, HOST)


@pytest.mark.parametrize(
    ("os", "kind"), [("rhel4", "pv"), ("rhel5", "pv"), ("rhel3", "hvm"), ("windows", "hvm")]
)
def test_a_system_runs_as_the_kind_of_guest_that_it_can_be(os, kind):
    check_limits(replace(PV, os=os, kind=kind), HOST)


@pytest.mark.parametrize(
    "script", ["", "vif-bridge", "/etc/xen/scripts/vif-bridge", "my-nat", "vif-nat2"]
)
def test_other_network_scripts_are_not_refused(script):
    check_network(VifSpec(script=script))


@pytest.mark.parametrize("script", ["vif-nat", "vif-route", "network-nat", "network-route"])
def test_nat_and_routing_are_refused_with_what_to_do(script):
    with pytest.raises(Refused, match="use a bridge, on a dummy device if there is no network"):
        check_network(VifSpec(script=f"/etc/xen/scripts/{script}"))


def scenario_refusal(text):
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text, "mine.toml")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[domain]]\nname = "w"\nvif = ["", "", "", ""]', "domain[w].vif: "),
        ('[[domain]]\nname = "w"\nkind = "hvm"\nvcpus = 2', "domain[w].vcpus: "),
        ('[host]\nhvm = false\n[[domain]]\nname = "w"\nkind = "hvm"', "domain[w]: Not an HVM"),
        ('[host]\narch = "i386"\n[[domain]]\nname = "w"\narch = "x86_64"', "domain[w].arch: "),
        ('[[domain]]\nname = "w"\nos = "windows"', "domain[w].os: "),
        ('[domain0]\nos = "rhel4"', "domain0.os: "),
        ("[host]\nmemory_mib = 80000", "domain0.memory_mib: "),
        ('[[domain]]\nname = "w"\nmaxmem_mib = 65537', "domain[w].maxmem_mib: "),
    ],
)  # fmt: skip
def test_a_scenario_beyond_the_limits_is_refused_with_the_key(text, key):
    assert scenario_refusal(text).startswith(f"mine.toml: {key}")


def test_a_scenario_beyond_the_limits_is_told_how_to_lift_them():
    text = '[[domain]]\nname = "w"\nvif = ["", "", "", ""]'
    assert scenario_refusal(text).endswith("; write support_limits = false in [host] to lift it")


def test_a_scenario_can_lift_the_limits():
    text = '[host]\nsupport_limits = false\n[[domain]]\nname = "w"\nvif = ["", "", "", ""]'
    assert len(parse_scenario(text, "mine.toml").domains[0].vif) == 4


def test_a_scenarios_domain_that_xend_would_refuse_is_refused_with_its_name():
    text = '[[domain]]\nname = "w"\nvif = ["script=vif-nat"]'
    assert scenario_refusal(text).startswith("mine.toml: domain[w]: NAT networking")


def test_a_processor_without_vt_runs_no_hvm_guest_whatever_is_lifted():
    with pytest.raises(Refused, match=r"Not an HVM capable platform.*needs a processor with VT"):
        HostKind(hvm=False).check_processor(HVM)
    with pytest.raises(ScenarioError, match=r"domain\[a\]: Not an HVM capable platform"):
        parse_scenario(
            "[host]\nhvm = false\nsupport_limits = false\n"
            '[[domain]]\nname = "a"\nkind = "hvm"\nmemory_mib = 128\n',
            "test",
        )
    HOST.check_processor(HVM)
    HostKind(hvm=False).check_processor(PV)
