"""xend: the rules of domain management, on top of any hypervisor.

Source: tools/python/xen/xend (3.0.3): XendDomain.py, XendDomainInfo.py.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.configfile import Overrides, parse_config
from hypervisor.toolstack.config.devices import DiskSpec, parse_disk
from hypervisor.toolstack.config.domain_sxp import config_sxp, spec_from_sxp
from hypervisor.toolstack.config.limits import (
    HostKind,
    check_limits,
    check_network,
    check_vif_count,
)
from hypervisor.toolstack.config.settings import check_name, domain_spec, vif_spec
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.sxp import Sxp, parse
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.domainnodes import rename, write_domain
from hypervisor.toolstack.operations.attaching import (
    Attaching,
    Detaching,
    change_medium,
    find_disk,
    find_vif,
)
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.operations.dumping import Dumping
from hypervisor.toolstack.operations.ending import Endings
from hypervisor.toolstack.operations.managed import Managed
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.operations.saving import Restoring, Saving
from hypervisor.toolstack.records.corefile import core_name
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.views import Views
from hypervisor.toolstack.xendcontext import XendContext

_SHUTDOWN_WORDS = ("poweroff", "reboot", "halt")


class Xend(Views):
    """Manages the domains of one hypervisor; satisfies hypervisor.host.Toolstack.

    Domains are given by name or id, as typed. Every method raises UnknownDomain, or Refused with
    xend's own fault text. What takes model time returns an Operation that has begun.
    """

    def __init__(self, context: XendContext) -> None:
        super().__init__(context)
        self._endings = Endings(context, self._dump_crashed)
        self.managed = Managed(context, self._endings, self.with_workloads)
        self._dump_folder: Path | None = None
        self._dumps_crashed = False

    def adopt(self, spec: DomainSpec) -> None:
        """Begin to know domain 0, which Xen has made."""
        context = self.context
        info = DomainInfo(
            0, spec.name, spec, spec.memory_kib, None, context.unix_ns(), online_vcpus=spec.vcpus
        )
        context.infos[0] = info
        write_domain(context.store, info)

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None:
        """Say where domain 0's files are; `dumps_crashed`: `(enable-dump yes)`."""
        self._dump_folder = Path(root) / "var/xen/dump"
        self._dumps_crashed = dumps_crashed
        self.managed.folder = Path(root) / "var/lib/xend/domains"

    # -- into the world ------------------------------------------------------------------

    def create(
        self,
        config: Mapping[str, object],
        *,
        paused: bool = False,
        workloads: Sequence[Mapping[str, object]] = (),
    ) -> Operation:
        """Create a domain from xm's settings; the result is its id."""
        return self._create(self.spec_of(config, workloads), paused=paused)

    def create_from_text(
        self,
        text: str,
        name: str,
        overrides: Overrides | None = None,
        *,
        paused: bool = False,
        is_sxp: bool = False,
    ) -> Operation:
        """Create a domain from the text of a configuration file; the result is its id.

        `name` is the file's name, for messages and as the domain's default name; `overrides`
        are the `name=value` words of the command line.
        """
        return self._create(self._read(text, name, overrides, is_sxp=is_sxp), paused=paused)

    def describe(
        self, text: str, name: str, overrides: Overrides | None = None, *, is_sxp: bool = False
    ) -> Sxp:
        """Return the configuration that `create_from_text` would use, and create nothing."""
        return config_sxp(self._read(text, name, overrides, is_sxp=is_sxp))

    def spec_of(
        self, config: Mapping[str, object], workloads: Sequence[Mapping[str, object]] = ()
    ) -> DomainSpec:
        """Return what xm's settings ask for, within the limits."""
        context = self.context
        pcpus = context.hypervisor.physical_info().pcpus
        spec = domain_spec(
            config, tools=context.tools, pcpus=pcpus, draw=context.draw, workloads=tuple(workloads)
        )
        self.check(spec)
        return spec

    def check(self, spec: DomainSpec) -> None:
        """Raise Refused for what this host does not support."""
        info = self.context.hypervisor.physical_info()
        for vif in spec.vifs:
            check_network(vif)
        if self.context.support_limits:
            check_limits(spec, HostKind(arch=info.arch, hvm=info.has_hvm))

    def _read(
        self, text: str, name: str, overrides: Overrides | None, *, is_sxp: bool
    ) -> DomainSpec:
        context = self.context
        if is_sxp:
            pcpus = context.hypervisor.physical_info().pcpus
            spec = spec_from_sxp(parse(text), tools=context.tools, pcpus=pcpus, draw=context.draw)
            self.check(spec)
            return spec
        config = parse_config(text, name, overrides)
        config.setdefault("name", PurePath(name).name)
        return self.spec_of(config)

    def _create(self, spec: DomainSpec, *, paused: bool) -> Operation:
        creation = Creation(self.context, self.with_workloads(spec), paused=paused)
        return creation.begin(creation.start)

    def with_workloads(self, spec: DomainSpec) -> DomainSpec:
        """Return `spec` with what the domain's programs will do, where its host knows it."""
        return spec

    def restore(self, path: str, *, paused: bool = False) -> Operation:
        """Create a domain from a file of `save`; the result is its id."""
        restoring = Restoring(self.context, path, paused=paused)
        return restoring.begin(restoring.start)

    # -- managed domains (3.1) -----------------------------------------------------------

    def new(
        self, text: str, name: str, overrides: Overrides | None = None, *, is_sxp: bool = False
    ) -> None:
        """Keep a configuration, and create nothing."""
        self.managed.new(self._read(text, name, overrides, is_sxp=is_sxp))

    def delete(self, domain: str) -> None:
        """Forget a configuration that no domain runs with."""
        self.managed.delete(domain)

    def start(self, domain: str, *, paused: bool = False) -> Operation:
        """Create the domain of a configuration; the result is its id."""
        return self.managed.start(domain, paused=paused)

    def suspend(self, domain: str) -> Operation:
        """Save it where `resume` finds it."""
        info = self.guest(domain, "suspend")
        self._check_idle(info)
        return self.managed.suspend(info)

    def resume(self, domain: str, *, paused: bool = False) -> Operation:
        """Bring a suspended domain back; the result is its id."""
        return self.managed.resume(domain, paused=paused)

    def inactive(self) -> Sequence[Mapping[str, object]]:
        """Return name, memory_mib and vcpus of the configurations that no domain runs with."""
        return [
            {"name": one.name, "memory_mib": one.memory_kib // 1024, "vcpus": one.vcpus}
            for one in self.managed.inactive()
        ]

    # -- and out of it -------------------------------------------------------------------

    def destroy(self, domain: str) -> None:
        """Kill it at once."""
        self._endings.destroy(self.guest(domain, "destroy"))

    def shutdown(self, domain: str, reason: str = "poweroff") -> None:
        """Ask it to end itself: poweroff, reboot or halt; after 30 seconds it is destroyed."""
        info = self.find(domain)
        if info.domid == 0:
            raise Refused("Can't specify Domain-0")
        if reason not in _SHUTDOWN_WORDS:
            raise Refused(f"Invalid reason: {reason}; use poweroff, reboot or halt")
        self._endings.ask(info, reason)

    def save(self, domain: str, path: str, *, checkpoint: bool = False) -> Operation:
        """Write it to a file and destroy it, or (`checkpoint`) let it run on."""
        info = self.guest(domain, "save")
        if info.spec.kind == "hvm" and self.context.tools == "3.0.3":
            raise Refused(f"Domain '{info.name}': fully virtualized domains cannot be saved")
        self._check_idle(info)
        saving = Saving(self.context, self._endings, info, path, checkpoint=checkpoint)
        return saving.begin(saving.start)

    def dump_core(
        self, domain: str, path: str | None = None, *, live: bool = False, crash: bool = False
    ) -> Operation:
        """Write its memory to a core file; the result is the file's path."""
        info = self.guest(domain, "dump core for")
        return self._dump(info, None if path is None else Path(path), live=live, crash=crash)

    def _dump(self, info: DomainInfo, path: Path | None, *, live: bool, crash: bool) -> Operation:
        if path is None:
            if self._dump_folder is None:
                raise Refused("dump-core: name a file; this host has no folder for core files")
            try:
                self._dump_folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Refused(f"{self._dump_folder}: {error.strerror}") from None
            path = self._dump_folder / core_name(self.context.unix_ns(), info.name, info.domid)
        dumping = Dumping(self.context, self._endings, info, path, live=live, crash=crash)
        return dumping.begin(dumping.start)

    def _dump_crashed(self, info: DomainInfo) -> Operation | None:
        if not self._dumps_crashed:
            return None
        try:
            return self._dump(info, None, live=True, crash=False)
        except HostError:
            return None  # it is in the log

    def _check_idle(self, info: DomainInfo) -> None:
        if info.is_saving:
            raise Refused(f"Domain '{info.name}' is being saved already")
        if self.context.hypervisor.domain_state(info.domid).shutdown_reason is not None:
            raise Refused(f"Domain '{info.name}' has shut down; destroy it")

    # -- while it lives ------------------------------------------------------------------

    def pause(self, domain: str) -> None:
        """Stop scheduling it."""
        info = self.guest(domain, "pause")
        self.context.hypervisor.pause_domain(info.domid)
        self.context.log.info(Messages.paused, info.name, info.domid)

    def unpause(self, domain: str) -> None:
        """Schedule it again."""
        info = self.guest(domain, "unpause")
        self.context.hypervisor.unpause_domain(info.domid)
        self.context.log.info(Messages.unpaused, info.name, info.domid)

    def rename(self, domain: str, name: str) -> None:
        """Give it another name."""
        info = self.guest(domain, "rename")
        check_name(name)
        for domid, other in self.context.infos.items():
            if other.name == name and other is not info:
                raise Refused(f"VM name '{name}' already in use by domain {domid}")
        if name in self.context.reserved:
            raise Refused(f"VM name '{name}' already in use: it is being created")
        if info.is_saving:
            raise Refused(f"Domain '{info.name}' is being saved")
        rename(self.context.store, info, name)
        self.context.hypervisor.rename_domain(info.domid, name)

    def sysrq(self, domain: str, key: str) -> None:
        """Press a magic key in it."""
        info = self.guest(domain, "send sysrq to")
        if len(key) != 1 or not key.isascii() or not key.isprintable():
            raise Refused(f"Invalid sysrq {key!r}; give one letter")
        self.context.store.write(f"{info.path}/control/sysrq", key)

    def trigger(self, domain: str, trigger: str, vcpu: int = 0) -> None:
        """Send a processor-level event (3.1): nmi, reset or init."""
        info = self.guest(domain, "send a trigger to")
        if trigger not in ("nmi", "reset", "init"):
            raise Refused(f"Invalid trigger '{trigger}'; use nmi, reset or init")
        if not 0 <= vcpu < info.spec.vcpus:
            raise Refused(f"Invalid VCPU {vcpu}")
        if trigger != "nmi" or info.spec.kind != "hvm":
            raise Refused("(38, 'Function not implemented')")

    # -- devices -------------------------------------------------------------------------

    def attach_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> Operation:
        """Give it a disk; the result is nothing."""
        info = self.find(domain)
        spec = self._disk(backend, frontend, mode, backend_domain)
        attaching = Attaching(self.context, info, spec)
        return attaching.begin(attaching.start)

    def configure_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> None:
        """Put another medium into its CD-ROM drive; anything else is refused."""
        info = self.find(domain)
        change_medium(self.context, info, self._disk(backend, frontend, mode, backend_domain))

    def _disk(self, backend: str, frontend: str, mode: str, backend_domain: str) -> DiskSpec:
        if any("," in text for text in (backend, frontend, mode, backend_domain)):
            raise Refused(f"Invalid disk specifier: {backend},{frontend},{mode}")
        if mode not in ("r", "w", "w!"):
            raise Refused(f"Invalid mode: {mode}")
        spec = parse_disk(f"{backend},{frontend},{mode}")
        if backend_domain:
            owner = self.find(backend_domain)
            if owner.domid:
                raise Refused(f"Domain '{owner.name}' is no backend: disks come from Domain-0 here")
        return spec

    def detach_block(self, domain: str, device: str, *, force: bool = False) -> None:
        """Ask the guest to give up a disk, called by number or name."""
        info = self.find(domain)
        found = find_disk(info, device, self.context.tools)
        self._detach(Detaching(self.context, info, found), force)

    def attach_network(self, domain: str, options: str) -> Operation:
        """Give it a network interface of these comma-separated options."""
        info = self.find(domain)
        spec = vif_spec(options, is_hvm=info.spec.kind == "hvm", draw=self.context.draw)
        check_network(spec)
        if self.context.support_limits and info.domid:
            check_vif_count(1 + sum(device.kind == "vif" for device in info.devices))
        attaching = Attaching(self.context, info, spec)
        return attaching.begin(attaching.start)

    def detach_network(self, domain: str, index: int, *, force: bool = False) -> None:
        """Ask the guest to give up an interface."""
        info = self.find(domain)
        self._detach(Detaching(self.context, info, find_vif(info, index)), force)

    def _detach(self, detaching: Detaching, force: bool) -> None:
        if not force:
            detaching.start()
        elif self.context.tools == "3.0.3":
            raise Refused("there is no force in tools 3.0.3: the guest must give the device up")
        else:
            detaching.force()
