"""Helpers of the tests of xend on the whole model."""

from dataclasses import replace
from typing import Any

import pytest

from hypervisor.errors import HostError
from hypervisor.model.machine import Machine
from hypervisor.toolstack.operations.operation import Operation
from tests.support.model.hosts import SECOND

GUEST = {"name": "b", "memory": 64, "kernel": "/boot/vmlinuz"}


def names(host: Machine) -> dict[int, str]:
    return {one.domid: one.name for one in host.telemetry.snapshot().domains}


def after(host: Machine, seconds: float) -> None:
    host.advance(host.now_ns + round(seconds * SECOND))


def done(host: Machine, operation: Operation, seconds: float = 200) -> Any:
    """Wait for an operation; return its result, or raise its error."""
    host.advance_until(lambda: operation.is_done, round(seconds * SECOND))
    return operation.result()


def refusal(host: Machine, operation: Operation) -> str:
    with pytest.raises(HostError) as refused:
        done(host, operation)
    return str(refused.value)


def configure(host: Machine, **settings: Any) -> None:
    """Change the configuration of domain 1."""
    info = host.toolstack.context.infos[1]
    info.spec = replace(info.spec, **settings)


def logged(host: Machine, text: str) -> int:
    return sum(text in line for line in host.toolstack.views.take_log())
