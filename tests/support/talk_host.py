"""The host of the 2007 talk, and a service that answers for it."""

from dataclasses import replace
from pathlib import Path

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    PcpuSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from tests.support.json_service import JsonService
from tests.support.measured import measured_sum
from xenprof.client import ServiceError

SECOND = 10**9
VIF = VifSnapshot(
    index=0, name="vif5.0", mac="00:16:3e:48:fe:a6", bridge="xenbr0",
    receive_bytes=2_048_000, receive_packets=1500, receive_errors=0, receive_dropped=2,
    transmit_bytes=1_025_000, transmit_packets=900, transmit_errors=0, transmit_dropped=0,
    ring_full=0,
)  # fmt: skip
XVDA = VbdSnapshot(
    device=51712, name="xvda", backend="phy:/dev/sdb1", mode="w",
    read_requests=729, write_requests=31, read_bytes=0, write_bytes=0, out_of_requests=4,
)  # fmt: skip
TAP = VbdSnapshot(device=51728, name="xvdb", backend="tap:aio:/a.dsk", mode="w")


def vcpu(number: int, pcpu: int, runstate: str, seconds: float) -> VcpuSnapshot:
    return VcpuSnapshot(
        vcpu=number, pcpu=pcpu, online=runstate != "offline", runstate=runstate,
        running_ns=round(seconds * SECOND), runnable_ns=0, blocked_ns=0, offline_ns=0,
        affinity=(0, 1, 2, 3),
    )  # fmt: skip


def domain(domid: int, name: str, mib: int, *vcpus: VcpuSnapshot) -> DomainSnapshot:
    return DomainSnapshot(
        domid=domid, name=name, uuid=f"00000000-0000-0000-0000-{domid:012}",
        kind="pv" if domid else "dom0", running=False, blocked=True, paused=False,
        shutdown=False, crashed=False, dying=False, shutdown_reason=None, created_ns=0,
        cpu_ns=measured_sum(*(vcpu.running_ns for vcpu in vcpus)), memory_kib=mib * 1024,
        target_kib=mib * 1024, maximum_kib=mib * 1024 if domid else None, is_memory_unlimited=not domid,
        configured_memory_kib=mib * 1024, weight=256, cap_percent=0, vcpus=vcpus,
    )  # fmt: skip


DOMAIN_0 = domain(0, "Domain-0", 657, vcpu(0, 0, "running", 708.94), vcpu(1, 1, "blocked", 572.06))
WINDOOF = replace(domain(3, "WinDoof", 512, vcpu(0, 2, "blocked", 8.9)), kind="hvm")
DESKTOP = replace(
    domain(5, "DesktopVM", 512, vcpu(0, 3, "blocked", 7.2)), vifs=(VIF,), vbds=(XVDA, TAP)
)
OSSVM02 = domain(6, "ossvm02", 64, vcpu(0, 2, "blocked", 0.06), vcpu(1, 3, "offline", 0.02))
MYSQL = replace(domain(13, "r5b2-mySQL01", 500, vcpu(0, 1, "blocked", 16.1)), cap_percent=25)

HOST = HostSnapshot(
    generation=1, time_ns=1000 * SECOND, unix_ns=1_178_668_800 * SECOND, host="grumble",
    cpu_type="p4-ht", mhz=3200, sockets=2, cores_per_socket=1, threads_per_core=2, xen_major=3,
    xen_minor=0, xen_extra=".3-rc5.el5", tools="3.0.3", scheduler="credit",
    memory_kib=4 * 1024 * 1024, free_kib=1024 * 1024, scrub_kib=0,
    domains=(DOMAIN_0, WINDOOF, DESKTOP, OSSVM02, MYSQL),
    pcpus=tuple(PcpuSnapshot(n, n // 2, 0, n % 2, 0, 0, 0, 0) for n in range(4)),
)  # fmt: skip


NEW_TOOLS = replace(HOST, tools="3.1")
LOST = HostSnapshot(1, 1000 * SECOND, 1_178_668_800 * SECOND, "grumble", is_up=False)
"""A host of which nothing is known now."""


class FakeClient(JsonService):
    """A service that answers from `answers` and records what it was sent.

    Its snapshots are `hosts` one after the other, the last for ever. An answer may be an error.
    """

    def __init__(self, home=Path("/nonexistent"), **answers) -> None:
        self.home = home
        self.hosts = answers.pop("hosts", [HOST])
        self.answers = {f"/api/v1/{path}": answer for path, answer in answers.items()}
        self.posts: list[tuple[str, object]] = []
        self.gets: list[str] = []  # except for snapshots of `hosts`

    def answer_get(self, path):
        if path == "/api/v1/snapshot" and path not in self.answers:
            return self.hosts.pop(0) if len(self.hosts) > 1 else self.hosts[0]
        self.gets.append(path)
        return _given(self.answers.get(path, ServiceError("no such thing", http_status=404)))

    def answer_post(self, path, body):
        self.posts.append((path, body))
        return _given(self.answers.get(path, {}))


def _given(answer):
    if isinstance(answer, BaseException):
        raise answer
    return answer
