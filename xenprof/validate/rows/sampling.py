"""Samples the domains of an experiment, as opcontrol and the daemons do."""

from collections.abc import Sequence
from typing import Final

from hypervisor.telemetry import XenoprofSnapshot
from xenprof.validate.figure import Figure
from xenprof.validate.hosts import Machine

MHZ: Final = 3200
HOST: Final = {
    "cpu": "p4",
    "mhz": MHZ,
    "sockets": 1,
    "cores_per_socket": 2,
    "threads_per_core": 1,
}
APART: Final = {"vcpus": 1, "cpus": "0"}
"""A domain 0 that leaves the other pcpu to a guest."""
LARGE: Final = {"buffer_size": "4000000", "cpu_buffer_size": "4000000"}
"""Buffers of a driver in which everything has room."""
_GLOBAL_POWER_EVENTS: Final = {"event": "29", "unit_mask": "1"}
_CODE: Final = "xen/arch/x86/oprofile/xenoprof.c of Xen 3.0.3"


def count(host: Machine, period: int, active: Sequence[int], passive: Sequence[int] = ()) -> None:
    """Start to sample cycles, as opcontrol and the daemons do."""
    driver = host.profiler.oprofile("0")
    values = {"enabled": "1", "count": str(period), "kernel": "1", "user": "1"}
    for leaf, value in (values | _GLOBAL_POWER_EVENTS).items():
        driver.write(f"0/{leaf}", value)
    driver.write("active_domains", ",".join(map(str, active)))
    driver.write("passive_domains", ",".join(map(str, passive)))
    for domid in active:
        host.profiler.oprofile(str(domid)).open_buffer()
    driver.write("enable", "1")


def counters(host: Machine) -> XenoprofSnapshot:
    """Return Xenoprof's counters of all samples until now."""
    host.execution.accounting.settle_all()
    told = host.telemetry.snapshot().xenoprof
    assert told is not None
    return told


def exact(metric: str, value: float, unit: str) -> Figure:
    """Return a figure of the original's code that allows no difference."""
    return Figure(metric, unit, value, value, value, "predicted", _CODE)
