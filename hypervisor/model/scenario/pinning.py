"""The key `cpus` of a domain: where its vcpus may run, all alike or each by itself."""

from typing import Annotated

from pydantic import BeforeValidator

from hypervisor.cpus import parse_cpus
from hypervisor.model.scenario.table import checked


def _readable(value: object) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return _leaves_a_cpu(value)
    if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
        return tuple(map(_leaves_a_cpu, value))
    raise ValueError("must be a string, or a list of strings with one for each vcpu")


def _leaves_a_cpu(text: str) -> str:
    if text and not checked(parse_cpus, text):
        raise ValueError(f"'{text}' leaves no CPU")
    return text


Cpus = Annotated[str | tuple[str, ...], BeforeValidator(_readable)]
"""Pcpus as for `xm vcpu-pin`, "" = any: those of all vcpus, or a tuple with those of each."""


def affinity_of(text: str) -> tuple[int, ...] | None:
    """Return the pcpus that a text allows; None = any."""
    return parse_cpus(text) if text else None


def check_entries(cpus: str | tuple[str, ...], vcpus: int, table: str = "") -> None:
    """Raise ValueError for a list that has not one entry for each of the domain's vcpus."""
    if not isinstance(cpus, str) and len(cpus) != vcpus:
        raise ValueError(f"{table}cpus needs one entry for each vcpu: {vcpus}, not {len(cpus)}")


def check_pcpus(cpus: str | tuple[str, ...], pcpus: int) -> None:
    """Raise ValueError for a pcpu that the host does not have."""
    for text in (cpus,) if isinstance(cpus, str) else cpus:
        if max(affinity_of(text) or (0,)) >= pcpus:
            raise ValueError(f"cpus '{text}' goes past the last of {pcpus} pcpus")
