"""xend: manages domains by its own rules, on top of any hypervisor."""

from collections.abc import Mapping
from pathlib import Path

from hypervisor.host import Telemetry
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.configurations import Configurations, Workloads
from hypervisor.toolstack.devices import Devices
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.domainnodes import write_domain
from hypervisor.toolstack.domains import Domains
from hypervisor.toolstack.operations.managed import Managed
from hypervisor.toolstack.resources import Resources
from hypervisor.toolstack.views import ProcFiles, SysFiles, Views
from hypervisor.toolstack.xenconsole import XenConsole
from hypervisor.toolstack.xendcontext import XendContext


class Xend:
    """Holds the parts that manage the domains of one hypervisor (see `control.Toolstack`)."""

    def __init__(
        self,
        context: XendContext,
        telemetry: Telemetry,
        proc_files: ProcFiles,
        sys_files: SysFiles,
        installed: Mapping[str, Workloads],
    ) -> None:
        """`installed`: the programs on the disks of domains, by the name of the domain."""
        self.context = context
        self.configurations = Configurations(context, installed)
        self.domains = Domains(context, self.configurations)
        self.managed = Managed(context, self.domains.endings, self.configurations)
        self.resources = Resources(context)
        self.devices = Devices(context)
        self.views = Views(context, proc_files, sys_files)
        self.xen_console = XenConsole(context, telemetry)

    def adopt(self, spec: DomainSpec) -> None:
        """Register domain 0, which Xen has built."""
        context = self.context
        info = DomainInfo(
            0, spec.name, spec, spec.memory_kib, None, context.unix_ns(), online_vcpus=spec.vcpus
        )
        # Its first names are those of netloop's interfaces.
        info.next_vif = sum(name.startswith("vif0.") for name in context.interfaces)
        context.infos[0] = info
        write_domain(context.store, info)

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None:
        """Set where domain 0's files are; `dumps_crashed`: domains that crash leave a core."""
        self.context.domain0_root = Path(root)
        self.context.dumps_crashed = dumps_crashed
