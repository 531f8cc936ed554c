"""Programs that a configuration file names."""

import pytest

from hypervisor.errors import HostError
from hypervisor.model.scenario.workloads import parse_workloads
from hypervisor.toolstack.config.workloads import parse_workload


@pytest.mark.parametrize(
    ("text", "workload"),
    [
        ("web", {"kind": "web"}),
        ("oltp, clients=16,engine = sybase", {"kind": "oltp", "clients": 16, "engine": "sybase"}),
        ("oltp,think_ms=1.5,read_only=true", {"kind": "oltp", "think_ms": 1.5, "read_only": True}),
    ],
)
def test_a_program_is_a_kind_and_its_parameters(text, workload):
    assert workload == parse_workload(text)


@pytest.mark.parametrize("name", ["123", "inf", "true", "1e3", "007"])
def test_a_name_stays_a_name_whatever_it_looks_like(name):
    assert name == parse_workload(f"netperf, direction=to, peer={name}")["peer"]


def test_phases_stand_between_plus_signs():
    given = parse_workload("iozone, phases=write + read, file_kib=1024")
    assert given == {"kind": "iozone", "phases": ["write", "read"], "file_kib": 1024}
    assert parse_workloads([given])[0].model_dump()["phases"] == ("write", "read")


@pytest.mark.parametrize("text", ["", "clients=16", "web, clients", "web, =3", "web, a=1, a=2"])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(
        HostError, match="write a kind and its parameters, as in 'oltp, clients=16'"
    ):
        parse_workload(text)


def test_a_peer_may_have_a_name_that_looks_like_a_number():
    assert parse_workload("netperf, peer=007")["peer"] == "007"
