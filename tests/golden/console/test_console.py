"""The text that Xen writes to its console: the boot, and debug keys."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hypervisor.telemetry import HostSnapshot, VcpuSnapshot
from hypervisor.toolstack.records.bootring import boot_messages
from hypervisor.toolstack.records.debugkeys import debug_keys
from tests.support.fake_hypervisor import MACHINE
from tests.support.snapshots import grumble

EXPECTED = Path(__file__).parent / "expected"
NEWER: dict[str, Any] = {"xen_minor": 1, "xen_extra": ".0-53.el5"}


def busy(**changes: Any) -> HostSnapshot:
    """Return two domains on two pcpus: one vcpu runs, two wait, one is parked, one sleeps."""
    host = grumble()

    def look(vcpu: VcpuSnapshot, runstate: str, credit: int, priority: str) -> VcpuSnapshot:
        return replace(vcpu, pcpu=0, runstate=runstate, credit=credit, priority=priority)

    dom0, other, third = host.domains[:3]
    dom0 = replace(
        dom0,
        vcpus=(look(dom0.vcpus[0], "running", 25, "under"), dom0.vcpus[1]),
    )
    other = replace(
        other,
        vcpus=(
            look(other.vcpus[0], "runnable", -80, "parked"),
            look(other.vcpus[1], "runnable", -7, "over"),
        ),
    )
    third = replace(third, paused=True, kind="hvm", weight=512, vcpus=(
        look(third.vcpus[0], "runnable", 3, "boost" if changes else "under"),
    ))  # fmt: skip
    counters = {"schedule": 4711, "acct_run": 333, "vcpu_migrate": 12, "migrate_queued": 5}
    return replace(host, domains=(dom0, other, third), counters=counters, **changes)


LINES = {
    "boot-3.0.3": lambda: boot_messages(MACHINE, 4, 657 * 1024),
    "boot-3.1-amd": lambda: boot_messages(
        replace(
            MACHINE,
            cpu_type="hammer",
            mhz=2600,
            sockets=1,
            threads_per_core=2,
            memory_kib=2 << 20,
            scheduler="sedf",
            **NEWER,
        ),
        1,
        1 << 20,
        "com1=115200,8n1 console=com1",
    ),
    "keys-3.0.3": lambda: debug_keys("hqrt", busy()),
    "keys-3.1": lambda: debug_keys("qr", busy(**NEWER)),
    "keys-sedf": lambda: debug_keys("r", busy(scheduler="sedf")),
}


@pytest.mark.parametrize("name", LINES)
def test_the_console_shows_what_it_always_did(name, update_golden):
    text = "".join(f"{line}\n" for line in LINES[name]())

    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
