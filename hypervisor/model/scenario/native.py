"""A host without Xen: one operating system, which stands in the place of domain 0."""

from collections.abc import Collection, Sequence
from typing import Final

from hypervisor.domain0 import DOMAIN_0
from hypervisor.model.scenario.nics import OF_BRIDGES, NicTable

NONE: Final = "none"
"""The `hypervisor` of such a host."""
DOMAIN0_KEYS: Final = ("vcpus", "memory_mib", "os", "elevator", "workload")


def driven_natively(nics: tuple[NicTable, ...]) -> tuple[NicTable, ...]:
    """Return the cards as the system drives them: for itself. Raises: ValueError."""
    if len(nics) > 1:
        raise ValueError('with hypervisor = "none" there is one card at most')
    only = nics[0] if nics else NicTable(name="eth0")
    if only.kind == "dummy":
        raise ValueError('with hypervisor = "none" the card is no dummy')
    only.refuse('with hypervisor = "none" the card is the system\'s', (*OF_BRIDGES, "dedicated_to"))
    return (only.model_copy(update={"dedicated_to": DOMAIN_0}),)


def check_native(
    given: Collection[str],
    guests: Sequence[object],
    scheduler: str,
    bridges: Sequence[str],
    host_given: Collection[str] = (),
) -> None:
    """Raise ValueError for what needs Xen.

    `given` are the keys of `[domain0]`, `host_given` those of `[host]`.
    """
    if guests:
        raise ValueError('with hypervisor = "none" there are no guests; leave out [[domain]]')
    if bridges:
        raise ValueError('with hypervisor = "none" there are no bridges; leave out host.bridges')
    if scheduler != "credit":
        raise ValueError('with hypervisor = "none" nothing schedules vcpus; leave out scheduler')
    for key in ("netfront_receive", "outlook_fewer_copies"):
        if key in host_given:
            raise ValueError(f'host.{key} needs Xen; with hypervisor = "none" leave it out')
    for key in given:
        if key not in DOMAIN0_KEYS:
            allowed = ", ".join(DOMAIN0_KEYS)
            raise ValueError(f'domain0.{key} needs Xen; with hypervisor = "none" use {allowed}')
