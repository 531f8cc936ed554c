"""xend: the rules of domain management, on top of any hypervisor.

Domains are given by name or id, as typed; a number is first tried as a name.
Source: tools/python/xen/xend (3.0.3): XendDomain.py, XendDomainInfo.py, balloon.py.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from hypervisor.errors import Refused, UnknownDomain
from hypervisor.toolstack.configfile import Overrides, parse_config
from hypervisor.toolstack.hostinfo import info_rows
from hypervisor.toolstack.hypercalls import Hypervisor
from hypervisor.toolstack.settings import check_credit, domain_spec, online_affinity
from hypervisor.toolstack.spec import DomainSpec


class Xend:
    """Manages the domains of one hypervisor; satisfies hypervisor.host.Toolstack.

    Every method raises UnknownDomain, or Refused with xend's own fault text.
    """

    def __init__(self, hypervisor: Hypervisor, *, tools: str, draw: random.Random) -> None:
        """`tools` is 3.0.3 or 3.1; `draw` gives random uuids and MAC addresses."""
        self._hypervisor = hypervisor
        self._tools = tools
        self._draw = draw

    def create(
        self,
        config: Mapping[str, object],
        *,
        paused: bool = False,
        workloads: Sequence[Mapping[str, object]] = (),
    ) -> int:
        """Create a domain from xm's settings; return its id."""
        info = self._hypervisor.physical_info()
        spec = domain_spec(
            config,
            tools=self._tools,
            pcpus=info.pcpus,
            draw=self._draw,
            workloads=tuple(workloads),
        )
        self._check_unique(spec)
        need_kib = _needed_kib(spec)
        if need_kib > info.free_kib:
            raise Refused(
                "Not enough free memory and dom0_min_mem is 0, so I cannot release any more.  "
                f"I need {need_kib} KiB but only have {info.free_kib}."
            )
        domid = self._hypervisor.create_domain(spec)
        if not paused:
            self._hypervisor.unpause_domain(domid)
        return domid

    def create_from_text(
        self, text: str, name: str, overrides: Overrides | None = None, *, paused: bool = False
    ) -> int:
        """Create a domain from the text of a configuration file; return its id.

        `name` is the file's name, for messages and as the domain's default name; `overrides`
        are the `name=value` words of the command line.
        """
        config = parse_config(text, name, overrides)
        config.setdefault("name", PurePath(name).name)
        return self.create(config, paused=paused)

    def destroy(self, domain: str) -> None:
        """Kill it at once."""
        self._hypervisor.destroy_domain(self._guest(domain, "destroy"))

    def pause(self, domain: str) -> None:
        """Stop scheduling it."""
        self._hypervisor.pause_domain(self._guest(domain, "pause"))

    def unpause(self, domain: str) -> None:
        """Schedule it again."""
        self._hypervisor.unpause_domain(self._guest(domain, "unpause"))

    def set_vcpus(self, domain: str, count: int) -> None:
        """Ask the guest to have `count` vcpus online; more than configured means all."""
        domid, spec = self._find(domain)
        if count <= 0 and self._tools != "3.0.3":
            raise Refused("Invalid VCPUs")
        self._hypervisor.set_online_vcpus(domid, max(1, min(count, spec.vcpus)))

    def pin_vcpu(self, domain: str, vcpu: int | None, pcpus: Sequence[int]) -> None:
        """Set the affinity of one vcpu (None: all) to those of `pcpus` that exist."""
        domid, spec = self._find(domain)
        if vcpu is not None and not 0 <= vcpu < spec.vcpus:
            raise Refused("(3, 'No such process')")
        affinity = online_affinity(tuple(pcpus), self._hypervisor.physical_info().pcpus)
        for number in range(spec.vcpus) if vcpu is None else (vcpu,):
            self._hypervisor.set_affinity(domid, number, affinity)

    def set_memory(self, domain: str, mib: int) -> None:
        """Set the balloon target, also where the guest cannot follow."""
        domid, _ = self._find(domain)
        if not 0 < mib < 2**31:
            raise Refused("Invalid memory size")
        self._hypervisor.set_target(domid, mib * 1024)

    def sched_credit(self, domain: str) -> tuple[int, int]:
        """Return (weight, cap in percent)."""
        domid, _ = self._find(domain)
        self._check_scheduler()
        return self._hypervisor.credit_parameters(domid)

    def set_sched_credit(
        self, domain: str, *, weight: int | None = None, cap_percent: int | None = None
    ) -> None:
        """Change weight and/or cap."""
        domid, spec = self._find(domain)
        self._check_scheduler()
        check_credit(weight, cap_percent, spec.vcpus)
        self._hypervisor.set_credit_parameters(domid, weight, cap_percent)

    def info(self) -> Mapping[str, str]:
        """Return the rows of `xm info`, in order."""
        return info_rows(self._hypervisor.physical_info(), self._tools)

    def _find(self, domain: str) -> tuple[int, DomainSpec]:
        specs = self._hypervisor.domains()
        for domid, spec in specs.items():
            if spec.name == domain:
                return domid, spec
        if domain.isascii() and domain.isdigit() and len(domain) < 9 and int(domain) in specs:
            return int(domain), specs[int(domain)]
        raise UnknownDomain(domain)

    def _guest(self, domain: str, verb: str) -> int:
        domid, spec = self._find(domain)
        if domid == 0:
            raise Refused(f"Cannot {verb} privileged domain {spec.name}")
        return domid

    def _check_unique(self, spec: DomainSpec) -> None:
        for domid, other in self._hypervisor.domains().items():
            if other.name == spec.name:
                raise Refused(f"VM name '{spec.name}' already in use by domain {domid}")
            if other.uuid == spec.uuid:
                raise Refused(f"VM uuid {spec.uuid} already in use by domain {domid}")

    def _check_scheduler(self) -> None:
        scheduler = self._hypervisor.physical_info().scheduler
        if scheduler == "credit":
            return
        if self._tools == "3.0.3":
            raise Refused("(22, 'Invalid argument')")
        raise Refused(f"Xen is running with the {scheduler} scheduler")


def _needed_kib(spec: DomainSpec) -> int:
    """Return what must be free: its memory, and for HVM shadow tables and video memory."""
    if spec.kind != "hvm":
        return spec.memory_kib
    gib = spec.memory_kib / 2**20
    return spec.memory_kib + int(2.4 * 1024 * gib) + (4 + 8) * 1024
