"""Changes what a running domain has: vcpus, memory, shares of the processors."""

from collections.abc import Sequence

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import Refused
from hypervisor.toolstack.config.schedparams import changed_sedf
from hypervisor.toolstack.config.settings import check_credit, online_affinity
from hypervisor.toolstack.operations.recording import recorded
from hypervisor.toolstack.records.xendlog import Message, Messages
from hypervisor.toolstack.xendcontext import XendContext

MEMORY_MAXIMUM = Message(
    "XendDomainInfo", 960, "Setting memory maximum of domain %s (%d) to %d MiB."
)


class Resources:
    """Changes vcpus, memory and shares of running domains (see `control.Resources`)."""

    def __init__(self, context: XendContext) -> None:
        self._context = context

    @recorded("vcpu-set")
    def set_vcpus(self, domain: str, count: int) -> None:
        """Ask the guest to have `count` vcpus online; more than configured means all."""
        info = self._context.find(domain)
        context = self._context
        if count <= 0 and context.tools != "3.0.3":
            raise Refused("Invalid VCPUs")
        context.events["vcpus_set"] += 1
        info.online_vcpus = max(1, min(count, info.spec.vcpus))
        context.store.write(f"{info.vm_path}/vcpu_avail", (1 << info.online_vcpus) - 1)
        for vcpu in range(info.spec.vcpus):
            state = "online" if vcpu < info.online_vcpus else "offline"
            context.store.write(f"{info.path}/cpu/{vcpu}/availability", state)

    @recorded("vcpu-pin")
    def pin_vcpu(self, domain: str, vcpu: int | None, pcpus: Sequence[int]) -> None:
        """Set the affinity of one vcpu (None: of all) to those of `pcpus` that exist."""
        info = self._context.find(domain)
        if vcpu is not None and not 0 <= vcpu < info.spec.vcpus:
            raise Refused("(3, 'No such process')")
        hypervisor = self._context.hypervisor
        affinity = online_affinity(tuple(pcpus), hypervisor.physical_info().pcpus)
        for number in range(info.spec.vcpus) if vcpu is None else (vcpu,):
            hypervisor.set_affinity(info.domid, number, affinity)

    @recorded("mem-set")
    def set_memory(self, domain: str, mib: int) -> None:
        """Set the balloon target, also where the guest cannot reach it."""
        info = self._context.find(domain)
        if not 0 < mib < 2**31:
            raise Refused("Invalid memory size")
        info.target_kib = mib * 1024
        self._context.events["balloon_target_set"] += 1
        self._context.log.debug(Messages.memory_target, info.name, info.domid, mib)
        self._context.store.write(f"{info.vm_path}/memory", mib)
        self._context.store.write(f"{info.path}/memory/target", info.target_kib)

    @recorded("mem-max")
    def set_maximum_memory(self, domain: str, mib: int) -> None:
        """Set the domain's maximum memory. Nothing is reserved."""
        info = self._context.find(domain)
        if not 0 < mib < 2**31:
            raise Refused("Invalid memory size")
        hypervisor = self._context.hypervisor
        if mib * 1024 < hypervisor.domain_state(info.domid).memory_kib:
            raise Refused("(22, 'Invalid argument')")
        info.maximum_kib = mib * 1024
        self._context.log.debug(MEMORY_MAXIMUM, info.name, info.domid, mib)
        hypervisor.set_maximum(info.domid, info.maximum_kib)
        self._context.store.write(f"{info.vm_path}/maxmem", mib)

    def sched_credit(self, domain: str) -> tuple[int, int]:
        """Return (weight, cap in percent)."""
        info = self._context.find(domain)
        self._check_scheduler("credit")
        return self._context.hypervisor.credit_parameters(info.domid)

    @recorded("sched-credit")
    def set_sched_credit(
        self, domain: str, *, weight: int | None = None, cap_percent: int | None = None
    ) -> None:
        """Change weight and/or cap."""
        info = self._context.find(domain)
        self._check_scheduler("credit")
        check_credit(weight, cap_percent, info.spec.vcpus)
        self._context.hypervisor.set_credit_parameters(info.domid, weight, cap_percent)

    def sched_sedf(self, domain: str) -> SedfParameters:
        """Return the sEDF parameters of the domain."""
        info = self._context.find(domain)
        self._check_scheduler("sedf")
        return self._context.hypervisor.sedf_parameters(info.domid)

    @recorded("sched-sedf")
    def set_sched_sedf(
        self,
        domain: str,
        *,
        period_ns: int | None = None,
        slice_ns: int | None = None,
        latency_ns: int | None = None,
        extratime: bool | None = None,
        weight: int | None = None,
    ) -> None:
        """Change the parameters that are not None."""
        info = self._context.find(domain)
        parameters = changed_sedf(
            self.sched_sedf(domain),
            period_ns=period_ns,
            slice_ns=slice_ns,
            latency_ns=latency_ns,
            extratime=extratime,
            weight=weight,
        )
        self._context.hypervisor.set_sedf_parameters(info.domid, parameters)

    def _check_scheduler(self, wanted: str) -> None:
        scheduler = self._context.hypervisor.physical_info().scheduler
        if scheduler == wanted:
            return
        if self._context.tools == "3.0.3":
            raise Refused("(22, 'Invalid argument')")
        raise Refused(f"Xen is running with the {scheduler} scheduler")
