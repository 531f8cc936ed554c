"""Reads a domain's specification from xm's settings, a configuration file or an s-expression."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from hypervisor.toolstack.config.configfile import Overrides, parse_config
from hypervisor.toolstack.config.domain_sxp import spec_from_sxp
from hypervisor.toolstack.config.limits import HostKind, check_limits, check_network
from hypervisor.toolstack.config.settings import domain_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.sxp import parse
from hypervisor.toolstack.xendcontext import XendContext

Workloads = tuple[Mapping[str, object], ...]


class Configurations:
    """Reads configurations within the limits of one host. Methods raise Refused."""

    def __init__(self, context: XendContext, installed: Mapping[str, Workloads]) -> None:
        """`installed`: the programs on the disks of domains, by the name of the domain."""
        self._context = context
        self._installed = installed

    def spec_of(
        self, config: Mapping[str, object], workloads: Sequence[Mapping[str, object]] = ()
    ) -> DomainSpec:
        """Return the domain that xm's settings describe, within the limits."""
        context = self._context
        pcpus = context.hypervisor.physical_info().pcpus
        spec = domain_spec(
            config, tools=context.tools, pcpus=pcpus, draw=context.draw, workloads=tuple(workloads)
        )
        self.check(spec)
        return spec

    def check(self, spec: DomainSpec) -> None:
        """Raise Refused if this host does not support the domain."""
        info = self._context.hypervisor.physical_info()
        for vif in spec.vifs:
            check_network(vif)
        host = HostKind(arch=info.arch, hvm=info.has_hvm)
        host.check_processor(spec)
        if self._context.support_limits:
            check_limits(spec, host)

    def read(
        self, text: str, name: str, overrides: Overrides | None, *, is_sxp: bool
    ) -> DomainSpec:
        """Return the domain that the text of a configuration file called `name` describes.

        `overrides` are the `name=value` words of a command line.
        """
        context = self._context
        if is_sxp:
            pcpus = context.hypervisor.physical_info().pcpus
            spec = spec_from_sxp(parse(text), tools=context.tools, pcpus=pcpus, draw=context.draw)
            self.check(spec)
            return spec
        config = parse_config(text, name, overrides)
        config.setdefault("name", PurePath(name).name)
        return self.spec_of(config)

    def with_programs(self, spec: DomainSpec) -> DomainSpec:
        """Return `spec`; if it names no workloads, with the programs on the domain's disk.

        So a guest that is destroyed and created again runs the same programs.
        """
        if not spec.workloads and spec.name in self._installed:
            return replace(spec, workloads=self._installed[spec.name])
        return spec
