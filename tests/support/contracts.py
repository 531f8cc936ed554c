"""Helpers with which the contract suites drive any host."""

from hypervisor.host import Host
from hypervisor.telemetry import DomainSnapshot

SECOND = 1_000_000_000


def let_pass(host: Host, seconds: float) -> None:
    host.advance(host.now_ns + round(seconds * SECOND))


def named(host: Host, name: str) -> DomainSnapshot:
    return next(one for one in host.telemetry.snapshot().domains if one.name == name)
