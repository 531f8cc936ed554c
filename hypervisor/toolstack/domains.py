"""Creates and ends domains, and acts on them in between.

Source: tools/python/xen/xend (3.0.3): XendDomain.py, XendDomainInfo.py.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hypervisor.errors import HostError, Refused
from hypervisor.ownfiles import make_folder
from hypervisor.toolstack.config.configfile import Overrides
from hypervisor.toolstack.config.domain_sxp import config_sxp
from hypervisor.toolstack.config.settings import check_name
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.sxp import Sxp
from hypervisor.toolstack.configurations import Configurations
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.domainnodes import rename
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.operations.dumping import Dumping
from hypervisor.toolstack.operations.ending import Endings
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.operations.recording import recorded
from hypervisor.toolstack.operations.saving import Restoring, Saving, check_idle
from hypervisor.toolstack.records.corefile import core_name
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.xendcontext import XendContext

_SHUTDOWN_WORDS = ("poweroff", "reboot", "halt")


class Domains:
    """Creates and ends domains, and acts on them in between (see `control.Domains`)."""

    def __init__(self, context: XendContext, configurations: Configurations) -> None:
        self._context = context
        self._configurations = configurations
        self.endings = Endings(context, self._dump_crashed)

    # -- creation ------------------------------------------------------------------------

    @recorded("create")
    def create(
        self,
        config: Mapping[str, object],
        *,
        paused: bool = False,
        workloads: Sequence[Mapping[str, object]] = (),
    ) -> Operation:
        """Create a domain from xm's settings; the result is its id."""
        return self._create(self._configurations.spec_of(config, workloads), paused=paused)

    @recorded("create")
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
        spec = self._configurations.read(text, name, overrides, is_sxp=is_sxp)
        return self._create(spec, paused=paused)

    def describe(
        self, text: str, name: str, overrides: Overrides | None = None, *, is_sxp: bool = False
    ) -> Sxp:
        """Return the configuration that `create_from_text` would use, and create nothing."""
        return config_sxp(self._configurations.read(text, name, overrides, is_sxp=is_sxp))

    def _create(self, spec: DomainSpec, *, paused: bool) -> Operation:
        creation = Creation(self._context, self._configurations.with_programs(spec), paused=paused)
        return creation.begin(creation.start)

    @recorded("restore")
    def restore(self, path: str, *, paused: bool = False) -> Operation:
        """Create a domain from a file that `save` has written; the result is its id."""
        restoring = Restoring(self._context, path, paused=paused)
        return restoring.begin(restoring.start)

    # -- the end -------------------------------------------------------------------------

    @recorded("destroy")
    def destroy(self, domain: str) -> None:
        """Destroy the domain at once."""
        self.endings.destroy(self._context.guest(domain, "destroy"))

    @recorded("shutdown")
    def shutdown(self, domain: str, reason: str = "poweroff") -> None:
        """Ask the domain to power off, reboot or halt; after 30 seconds it is destroyed."""
        info = self._context.find(domain)
        if info.domid == 0:
            raise Refused("Can't specify Domain-0")
        if reason not in _SHUTDOWN_WORDS:
            raise Refused(f"Invalid reason: {reason}; use poweroff, reboot or halt")
        self.endings.ask(info, reason)

    @recorded("save")
    def save(self, domain: str, path: str, *, checkpoint: bool = False) -> Operation:
        """Save the domain to a file and destroy it, or (`checkpoint`) let it run on."""
        info = self._context.guest(domain, "save")
        if info.spec.kind == "hvm" and self._context.tools == "3.0.3":
            raise Refused(f"Domain '{info.name}': fully virtualized domains cannot be saved")
        check_idle(self._context, info)
        saving = Saving(self._context, self.endings, info, path, checkpoint=checkpoint)
        return saving.begin(saving.start)

    @recorded("dump-core")
    def dump_core(
        self, domain: str, path: str | None = None, *, live: bool = False, crash: bool = False
    ) -> Operation:
        """Dump the domain's memory to a core file; the result is the file's path."""
        info = self._context.guest(domain, "dump core for")
        return self._dump(info, None if path is None else Path(path), live=live, crash=crash)

    def _dump(self, info: DomainInfo, path: Path | None, *, live: bool, crash: bool) -> Operation:
        if path is None:
            root = self._context.domain0_root
            if root is None:
                raise Refused("dump-core: name a file; this host has no folder for core files")
            folder = root / "var/xen/dump"
            try:
                make_folder(root, folder)
            except OSError as error:
                raise Refused(f"{folder}: {error.strerror}") from None
            path = folder / core_name(self._context.unix_ns(), info.name, info.domid)
        dumping = Dumping(self._context, self.endings, info, path, live=live, crash=crash)
        return dumping.begin(dumping.start)

    def _dump_crashed(self, info: DomainInfo) -> Operation | None:
        if not self._context.dumps_crashed:
            return None
        try:
            return self._dump(info, None, live=True, crash=False)
        except HostError:
            return None  # the log has the error

    # -- in between ----------------------------------------------------------------------

    @recorded("pause")
    def pause(self, domain: str) -> None:
        """Pause the domain: stop scheduling it."""
        info = self._context.guest(domain, "pause")
        self._context.hypervisor.pause_domain(info.domid)
        self._context.log.info(Messages.paused, info.name, info.domid)

    @recorded("unpause")
    def unpause(self, domain: str) -> None:
        """Schedule the domain again."""
        info = self._context.guest(domain, "unpause")
        self._context.hypervisor.unpause_domain(info.domid)
        self._context.log.info(Messages.unpaused, info.name, info.domid)

    @recorded("rename")
    def rename(self, domain: str, name: str) -> None:
        """Give the domain another name."""
        info = self._context.guest(domain, "rename")
        check_name(name)
        for domid, other in self._context.infos.items():
            if other.name == name and other is not info:
                raise Refused(f"VM name '{name}' already in use by domain {domid}")
        if name in self._context.reserved:
            raise Refused(f"VM name '{name}' already in use: it is being created")
        if info.is_saving:
            raise Refused(f"Domain '{info.name}' is being saved")
        rename(self._context.store, info, name)
        self._context.hypervisor.rename_domain(info.domid, name)

    @recorded("sysrq")
    def sysrq(self, domain: str, key: str) -> None:
        """Press a magic SysRq key in the domain."""
        info = self._context.guest(domain, "send sysrq to")
        if len(key) != 1 or not key.isascii() or not key.isprintable():
            raise Refused(f"Invalid sysrq {key!r}; give one letter")
        self._context.store.write(f"{info.path}/control/sysrq", key)

    @recorded("trigger")
    def trigger(self, domain: str, trigger: str, vcpu: int = 0) -> None:
        """Send a processor-level event (3.1): nmi, reset or init."""
        info = self._context.guest(domain, "send a trigger to")
        if trigger not in ("nmi", "reset", "init"):
            raise Refused(f"Invalid trigger '{trigger}'; use nmi, reset or init")
        if not 0 <= vcpu < info.spec.vcpus:
            raise Refused(f"Invalid VCPU {vcpu}")
        if trigger != "nmi" or info.spec.kind != "hvm":
            raise Refused("(38, 'Function not implemented')")
