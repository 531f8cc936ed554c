"""A hypervisor that only remembers what it was told."""

from dataclasses import dataclass, field, replace

from hypervisor.toolstack.hypercalls import PhysicalInfo
from hypervisor.toolstack.settings import domain0_spec
from hypervisor.toolstack.spec import DomainSpec

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
    """Satisfies hypervisor.toolstack.hypercalls.Hypervisor."""

    machine: PhysicalInfo = MACHINE
    known: dict[int, DomainSpec] = field(
        default_factory=lambda: {0: domain0_spec(vcpus=2, memory_kib=657 * 1024)}
    )
    calls: list[tuple] = field(default_factory=list)
    next_id: int = 1

    def physical_info(self) -> PhysicalInfo:
        return self.machine

    def domains(self) -> dict[int, DomainSpec]:
        return dict(self.known)

    def create_domain(self, spec: DomainSpec) -> int:
        domid, self.next_id = self.next_id, self.next_id + 1
        self.known[domid] = spec
        self.machine = replace(self.machine, free_kib=self.machine.free_kib - spec.memory_kib)
        return domid

    def destroy_domain(self, domid: int) -> None:
        del self.known[domid]

    def pause_domain(self, domid: int) -> None:
        self.calls.append(("pause", domid))

    def unpause_domain(self, domid: int) -> None:
        self.calls.append(("unpause", domid))

    def set_affinity(self, domid: int, vcpu: int, pcpus: tuple[int, ...] | None) -> None:
        self.calls.append(("affinity", domid, vcpu, pcpus))

    def credit_parameters(self, domid: int) -> tuple[int, int]:
        return self.known[domid].weight, self.known[domid].cap_percent

    def set_credit_parameters(
        self, domid: int, weight: int | None, cap_percent: int | None
    ) -> None:
        self.calls.append(("credit", domid, weight, cap_percent))

    def set_online_vcpus(self, domid: int, count: int) -> None:
        self.calls.append(("online", domid, count))

    def set_target(self, domid: int, target_kib: int) -> None:
        self.calls.append(("target", domid, target_kib))
