"""A hypervisor that only records its calls; time and the store are real."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import HostError
from hypervisor.model.timing.clock import Clock
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec
from hypervisor.toolstack.config.settings import domain0_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.hypercalls import (
    DomainState,
    Done,
    Hypervisor,
    PhysicalInfo,
    Program,
    Rings,
)
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.records.xendlog import XendLog
from hypervisor.toolstack.timers import SECOND_NS
from hypervisor.toolstack.xend import Xend
from hypervisor.toolstack.xendcontext import XendContext
from hypervisor.toolstack.xenstore import Xenstore
from tests.support.fake_host import FakeHost

MS = 1_000_000
EPOCH_NS = 1_178_704_800 * SECOND_NS  # 9 May 2007, 10:00 UTC
MACHINE = PhysicalInfo(
    host="grumble",
    cpu_type="p4-ht",
    mhz=3200,
    sockets=2,
    cores_per_socket=1,
    threads_per_core=2,
    memory_kib=4095 * 1024 + 512,
    free_kib=512 * 1024,
    scrub_kib=0,
    xen_major=3,
    xen_minor=0,
    xen_extra=".3-rc5.el5",
    scheduler="credit",
)


@dataclass
class FakeHypervisor:
    """Satisfies hypervisor.toolstack.hypercalls.Hypervisor.

    A domain's memory is free as soon as it is destroyed. `script_ns` and `copy_ns` are what a
    program of domain 0 and a block of copied memory take; `None`: they never end.
    """

    machine: PhysicalInfo = MACHINE
    clock: Clock = field(default_factory=Clock)
    specs: dict[int, DomainSpec] = field(default_factory=dict)
    states: dict[int, DomainState] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    saved: list[Mapping[str, Any] | None] = field(default_factory=list)
    scripts: list[int] = field(default_factory=list)
    copied_kib: int = 0
    script_ns: int | None = 50 * MS
    copy_ns: int | None = MS
    refuses: HostError | None = None  # the answers of add_disk and add_vif
    sedf: SedfParameters = field(
        default_factory=lambda: SedfParameters(100 * MS, 0, 0, extratime=True, weight=0)
    )
    next_id: int = 0

    @property
    def timers(self) -> Clock:
        return self.clock

    @property
    def devices(self) -> "FakeHypervisor":
        return self

    def physical_info(self) -> PhysicalInfo:
        return self.machine

    def domain_state(self, domid: int) -> DomainState:
        return self.states[domid]

    def change(self, domid: int, **settings: Any) -> None:
        """Change fields of the domain's state."""
        self.states[domid] = replace(self.states[domid], **settings)

    def free(self, kib: int) -> None:
        """Add free memory."""
        self.machine = replace(self.machine, free_kib=self.machine.free_kib + kib)

    def create_domain(self, spec: DomainSpec, saved: Mapping[str, Any] | None = None) -> int:
        domid, self.next_id = self.next_id, self.next_id + 1
        self.specs[domid] = spec
        self.states[domid] = DomainState(
            spec.memory_kib, spec.maximum_kib, None, True, 0, spec.vcpus, "--p---"
        )
        self.saved.append(saved)
        if domid:
            self.free(-spec.memory_kib)
        return domid

    def saved_state(self, domid: int) -> Mapping[str, Any]:
        return {"workloads": [], "of": domid}

    def destroy_domain(self, domid: int) -> None:
        self.free(self.states.pop(domid).memory_kib)
        del self.specs[domid]
        self.calls.append(("destroy", domid))

    def rename_domain(self, domid: int, name: str) -> None:
        self.calls.append(("rename", domid, name))

    def shut_down_domain(self, domid: int, reason: int) -> None:
        self.change(domid, shutdown_reason=reason)
        self.calls.append(("shut down", domid, reason))

    def watches_store(self, domid: int) -> bool:
        return self.specs[domid].kind != "hvm"

    def resume_domain(self, domid: int) -> None:
        self.change(domid, shutdown_reason=None)
        self.calls.append(("resume", domid))

    def pause_domain(self, domid: int) -> None:
        self.change(domid, is_paused=True)
        self.calls.append(("pause", domid))

    def unpause_domain(self, domid: int) -> None:
        self.change(domid, is_paused=False)
        self.calls.append(("unpause", domid))

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        self.calls.append(("affinity", domid, vcpu, pcpus))

    def set_maximum(self, domid: int, kib: int) -> None:
        self.change(domid, maximum_kib=kib)

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        return self.specs[domid].weight, self.specs[domid].cap_percent

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        self.calls.append(("credit", domid, weight, cap_percent))

    def sedf_parameters(self, domid: int) -> SedfParameters:
        return self.sedf

    def set_sedf_parameters(self, domid: int, parameters: SedfParameters) -> None:
        self.sedf = parameters

    def add_disk(self, domid: int, spec: DiskSpec) -> Rings:
        self._may_refuse()
        self.calls.append(("add disk", domid, spec.frontend))
        return Rings(5, (100,))

    def add_vif(self, domid: int, index: int, spec: VifSpec) -> Rings:
        self._may_refuse()
        self.calls.append(("add vif", domid, index))
        return Rings(6, (200, 201))

    def _may_refuse(self) -> None:
        if self.refuses is not None:
            raise self.refuses

    def remove_disk(self, domid: int, number: int) -> None:
        self.calls.append(("remove disk", domid, number))

    def remove_vif(self, domid: int, index: int) -> None:
        self.calls.append(("remove vif", domid, index))

    def change_disk(self, domid: int, number: int, spec: DiskSpec) -> None:
        self.calls.append(("change disk", domid, number, spec.path))

    def run_program(self, program: Program, milliseconds: int, done: Done) -> None:
        self.scripts.append(milliseconds)
        if self.script_ns is not None:
            self.clock.schedule(self.clock.now + self.script_ns, _call, done)

    def copy_memory(
        self, domid: int, kib: int, *, is_write: bool, done: Done, is_core: bool = False
    ) -> None:
        self.copied_kib += kib
        if self.copy_ns is not None:
            self.clock.schedule(self.clock.now + self.copy_ns, _call, done)

    def console(self, domid: int) -> str:
        return f"console of {domid}\n"


def _call(done: Done) -> None:
    done()


class FakeProcFiles:
    """The /proc of every domain."""

    def read(self, domid: int, name: str) -> str:
        return f"{name} of {domid}\n"

    def read_all(self, domid: int) -> Mapping[str, str]:
        return {"stat": self.read(domid, "stat")}


class FakeSysFiles:
    """The /sys of every domain."""

    def read(self, domid: int, name: str) -> str:
        return f"{name} of {domid}\n"

    def write(self, domid: int, name: str, text: str) -> None:
        pass


class Bench:
    """xend on a fake hypervisor, with domain 0."""

    def __init__(
        self, *, tools: str = "3.0.3", machine: PhysicalInfo = MACHINE, **settings: Any
    ) -> None:
        self.fake = FakeHypervisor(machine)
        self.clock = self.fake.clock
        self.store = Xenstore(self.clock)
        hypervisor: Hypervisor = self.fake
        self.log = XendLog(self._unix_ns, pid=2411, tools=tools)
        self.context = XendContext(
            hypervisor, self.store, self.clock, self.log, random.Random(7), tools, self._unix_ns,
            **settings,
        )  # fmt: skip
        self.xend = Xend(
            self.context, FakeHost().telemetry, FakeProcFiles(), FakeSysFiles(), installed={}
        )
        spec = domain0_spec(vcpus=2, memory_kib=657 * 1024)
        self.fake.create_domain(spec)
        self.xend.adopt(spec)
        self.clock.run_until(SECOND_NS)  # the watches of the boot have fired
        self.fake.calls.clear()

    def _unix_ns(self) -> int:
        return EPOCH_NS + self.clock.now

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.run_until(self.clock.now + round(seconds * SECOND_NS))

    def until(self, done: Callable[[], object], limit_seconds: float = 10) -> None:
        """Let time pass until the condition holds."""
        end_ns = self.clock.now + round(limit_seconds * SECOND_NS)
        while not done() and self.clock.now < end_ns:
            self.after(0.001)
        assert done()

    def result(self, operation: Operation, limit_seconds: float = 300) -> Any:
        """Let time pass until the operation ends; return its result, or raise its error."""
        end_ns = self.clock.now + round(limit_seconds * SECOND_NS)
        while not operation.is_done and self.clock.now < end_ns:
            self.after(0.001)
        return operation.result()

    def create(self, config: Mapping[str, object], **settings: Any) -> Any:
        """Create a domain and return its id."""
        return self.result(self.xend.domains.create(config, **settings))

    def shut_down(self, domid: int, reason: int) -> None:
        """Let the guest shut itself down, and do what xend does at once."""
        self.fake.change(domid, shutdown_reason=reason)
        self.store.announce("@releaseDomain")
        self.after(0.001)

    def names(self) -> dict[int, str]:
        """Return the domains' names by id."""
        return {domid: info.name for domid, info in self.context.infos.items()}

    def logged(self, text: str) -> list[str]:
        """Return the lines of the log, taken now, that contain `text`."""
        return [line for line in self.log.take() if text in line]


GUEST: Mapping[str, object] = {
    "name": "web",
    "memory": "128",
    "vcpus": 2,
    "kernel": "/boot/vmlinuz-2.6.18-8.el5xen",
}

GUEST_WITH_DEVICES: Mapping[str, object] = {
    **GUEST,
    "disk": ["phy:sda3,xvda,w", "tap:aio:/img,xvdb,r"],
    "vif": ["mac=00:16:3e:00:00:07,bridge=xenbr0"],
}


def refusal(call: Any, *arguments: Any, **settings: Any) -> str:
    """Return the text of the HostError that a call raises."""
    try:
        call(*arguments, **settings)
    except HostError as error:
        return str(error)
    raise AssertionError("it was not refused")
