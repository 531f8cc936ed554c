"""Manages configurations that xend 3.1 keeps while no domain runs with them.

Source: tools/python/xen/xend/XendDomain.py (3.1: domain_new, domain_delete, domain_start,
domain_suspend, domain_resume).
"""

from collections.abc import Sequence
from pathlib import Path

from hypervisor.domainsettings import ManagedDomain
from hypervisor.errors import HostError, Refused, UnknownDomain
from hypervisor.ownfiles import check_no_link, make_folder
from hypervisor.toolstack.config.configfile import Overrides
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.configurations import Configurations
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.operations.ending import Endings
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.operations.recording import recorded
from hypervisor.toolstack.operations.saving import Restoring, Saving, check_idle
from hypervisor.toolstack.xendcontext import XendContext

FOLDER = "var/lib/xend/domains"
CHECKPOINT = "checkpoint.chk"


class Managed:
    """Keeps configurations and runs their domains (see `control.ManagedDomains`)."""

    def __init__(self, xend: XendContext, endings: Endings, configurations: Configurations) -> None:
        self._context = xend
        self._endings = endings
        self._configurations = configurations
        self._specs: dict[str, DomainSpec] = {}

    @recorded("new")
    def new(
        self, text: str, name: str, overrides: Overrides | None = None, *, is_sxp: bool = False
    ) -> None:
        """Store a configuration without creating a domain."""
        spec = self._configurations.read(text, name, overrides, is_sxp=is_sxp)
        self._check_tools()
        if spec.name in self._specs or self._running(spec.name) is not None:
            raise Refused(f"VM name '{spec.name}' already in use")
        self._specs[spec.name] = spec

    @recorded("delete")
    def delete(self, domain: str) -> None:
        """Delete a configuration that no domain runs with."""
        self._inactive(domain)
        del self._specs[domain]

    @recorded("start")
    def start(self, domain: str, *, paused: bool = False) -> Operation:
        """Start the domain of a stored configuration; the result is its id."""
        spec = self._inactive(domain)
        if self._checkpoint(spec).exists():
            raise Refused(f"Domain '{domain}' is suspended; resume it")
        spec = self._configurations.with_programs(spec)
        creation = Creation(self._context, spec, paused=paused)
        return creation.begin(creation.start)

    @recorded("suspend")
    def suspend(self, domain: str) -> Operation:
        """Save the domain of a stored configuration where `resume` finds it."""
        info = self._context.guest(domain, "suspend")
        check_idle(self._context, info)
        self._check_tools()
        if info.name not in self._specs:
            raise Refused(f"Domain '{info.name}' is not managed: use xm save, or xm new first")
        path = self._checkpoint(info.spec)
        try:
            make_folder(self._root(), path.parent)
            check_no_link(self._root(), path)
        except OSError as error:
            raise Refused(f"{path.parent}: {error.strerror}") from None
        saving = Saving(self._context, self._endings, info, str(path), checkpoint=False)
        return saving.begin(saving.start)

    @recorded("resume")
    def resume(self, domain: str, *, paused: bool = False) -> Operation:
        """Restore a suspended domain; the result is its id."""
        path = self._checkpoint(self._inactive(domain))
        if not path.exists():
            raise Refused(f"Domain '{domain}' is not suspended; start it")
        restoring = Restoring(self._context, str(path), paused=paused)
        restoring.follow(_Cleaning(path).restored)
        return restoring.begin(restoring.start)

    def inactive(self) -> Sequence[ManagedDomain]:
        """Return the configurations that no domain runs with, by name."""
        specs = [self._specs[n] for n in sorted(self._specs) if self._running(n) is None]
        return [ManagedDomain(one.name, one.memory_kib // 1024, one.vcpus) for one in specs]

    def _inactive(self, name: str) -> DomainSpec:
        self._check_tools()
        if name not in self._specs:
            raise UnknownDomain(name)
        if self._running(name) is not None:
            raise Refused(f"Domain '{name}' is running")
        return self._specs[name]

    def _running(self, name: str) -> DomainInfo | None:
        return next((one for one in self._context.infos.values() if one.name == name), None)

    def _checkpoint(self, spec: DomainSpec) -> Path:
        return self._root() / FOLDER / spec.uuid / CHECKPOINT

    def _root(self) -> Path:
        root = self._context.domain0_root
        if root is None:
            raise Refused("this host has no folder for managed domains")
        return root

    def _check_tools(self) -> None:
        if self._context.tools == "3.0.3":
            raise Refused("managed domains came with tools 3.1")


class _Cleaning:
    """Removes a checkpoint once its domain runs again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def restored(self, operation: Operation) -> None:
        """Remove the checkpoint, unless the restore has failed."""
        try:
            operation.result()
        except HostError:
            return
        self._path.unlink(missing_ok=True)
