"""Ends domains: asks for a shutdown, notices that one has happened, and acts on its reason.

Source: tools/python/xen/xend/XendDomainInfo.py (shutdown, refreshShutdown, maybeRestart,
restart, preserveForRestart), 3.0.3.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from hypervisor.errors import HostError, Refused
from hypervisor.shutdown import CRASH, POWEROFF, REASONS, REBOOT, SUSPEND
from hypervisor.toolstack.config.settings import random_uuid
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.devicenodes import remove_device
from hypervisor.toolstack.domaininfo import DISK_KINDS, DomainInfo, current_spec
from hypervisor.toolstack.domainnodes import remove_domain, rename, write_vm
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.records.xendlog import Message, Messages
from hypervisor.toolstack.timers import SECOND_NS
from hypervisor.toolstack.xendcontext import XendContext

SHUTDOWN_LIMIT_NS = 30 * SECOND_NS  # SHUTDOWN_TIMEOUT
MINIMUM_RESTART_NS = 20 * SECOND_NS  # MINIMUM_RESTART_TIME


class Asking(Operation):
    """Asks a guest to shut down; ends when it has, or when it is destroyed. The result is None."""

    def __init__(self, xend: XendContext, info: DomainInfo, reason: str) -> None:
        super().__init__(xend, "shutdown", info)
        self._path = info.path
        self.reason = reason

    def start(self) -> None:
        """Write what the guest is to do where its kernel reads it."""
        self._xend.store.write(f"{self._path}/control/shutdown", self.reason)


# 3.1 ends a fully virtualized domain that has no drivers for Xen by itself.
REMOTE_SHUTDOWN = Message("XendDomainInfo", 433, "HVM save:remote shutdown dom %d!")
FAILED_RESTART = Message("XendDomainInfo", 1702, "Failed to restart domain: %s")


class Endings:
    """Watches for domains that have shut down, and does what their configuration says."""

    def __init__(self, xend: XendContext, dump: Callable[[DomainInfo], Operation | None]) -> None:
        """`dump` writes the core of a crashed domain, or returns None where none is wanted."""
        self._xend = xend
        self._dump = dump
        self._asked: dict[int, list[Asking]] = {}  # by domain, those that have no answer yet
        xend.store.watch("@releaseDomain", self._look)

    def ask(self, info: DomainInfo, reason: str) -> None:
        """Ask the guest to shut down; 30 seconds after the first request it is destroyed."""
        xend = self._xend
        asking = Asking(xend, info, reason)
        asking.begin(asking.start)
        waiting = self._asked.setdefault(info.domid, [])
        if any(reason == earlier.reason for earlier in waiting):
            asking.finish()  # the earlier one waits for the guest
        else:
            waiting.append(asking)
        if info.shutdown_asked_ns is None:
            info.shutdown_asked_ns = xend.timers.now
            limit_ns = xend.timers.now + SHUTDOWN_LIMIT_NS
            xend.timers.schedule(limit_ns, self._check_limit, info.domid)
        if xend.tools != "3.0.3" and not xend.hypervisor.watches_store(info.domid):
            xend.log.info(REMOTE_SHUTDOWN, info.domid)
            xend.hypervisor.shut_down_domain(info.domid, REASONS.index(reason))

    def _check_limit(self, domid: int) -> None:
        info = self._xend.infos.get(domid)
        if info is None:
            return
        info.shutdown_asked_ns = None
        if not info.shutdown_was_seen:
            self._xend.log.info(Messages.shutdown_timeout, info.name, domid)
            self._answered(domid, Refused(Messages.shutdown_timeout.text % (info.name, domid)))
            self.destroy(info)
        self._answered(domid, None)

    def _answered(self, domid: int, error: HostError | None) -> None:
        for asking in self._asked.pop(domid, ()):
            asking.end(None, error)

    def destroy(self, info: DomainInfo, *, keep_vm: bool = False) -> None:
        """Destroy a domain and remove its nodes."""
        xend = self._xend
        xend.log.debug(Messages.destroy, info.domid)
        xend.events["destroyed"] += 1
        xend.infos.pop(info.domid, None)
        self._answered(info.domid, None)
        info.devices.clear()
        if info.is_saving:  # its losses and what is left of it keep its own name
            xend.hypervisor.rename_domain(info.domid, info.lasting_name)
        xend.hypervisor.destroy_domain(info.domid)
        remove_domain(xend.store, info, keep_vm=keep_vm)

    def _look(self, _: str) -> None:
        for info in list(self._xend.infos.values()):
            reason = self._xend.hypervisor.domain_state(info.domid).shutdown_reason
            if reason is not None and not info.shutdown_was_seen:
                info.shutdown_was_seen = True
                self._seen(info, reason)

    def _seen(self, info: DomainInfo, reason: int) -> None:
        log = self._xend.log
        if reason == CRASH:
            log.warning(Messages.has_crashed, info.name, info.domid)
            self._xend.events["crashed"] += 1
        else:
            log.info(Messages.has_shutdown, info.name, info.domid, REASONS[reason])
            self._xend.events["shut_down"] += reason != SUSPEND
        if reason == SUSPEND:
            return  # the save that has suspended it goes on with it
        self._answered(info.domid, None)
        dump = self._dump(info) if reason == CRASH else None
        if dump is not None:
            dump.follow(_AfterDump(self, info).dumped)
            return
        self.act(info, reason)

    def act(self, info: DomainInfo, reason: int) -> None:
        """Do what the domain's configuration says for this reason."""
        if info.domid not in self._xend.infos:
            return
        spec = info.spec
        action = {POWEROFF: spec.on_poweroff, REBOOT: spec.on_reboot, CRASH: spec.on_crash}.get(
            reason, "destroy"
        )
        if action == "destroy":
            self.destroy(info)
        elif action == "restart":
            self._restart(info)
        elif action == "rename-restart":
            self._set_aside(info)
        else:
            self._xend.log.info(Messages.preserving, info.name, info.domid)

    def _is_too_fast(self, info: DomainInfo) -> bool:
        previous = info.previous_restart_ns
        return previous is not None and self._xend.timers.now - previous < MINIMUM_RESTART_NS

    def _restart(self, info: DomainInfo) -> None:
        if self._refuses(info):
            return
        spec = current_spec(info)
        self.destroy(info, keep_vm=True)
        self._create_again(info, spec)

    def _set_aside(self, info: DomainInfo) -> None:
        """Keep the dead domain under another name and uuid; its successor gets the old ones."""
        if self._refuses(info):
            return
        xend, name = self._xend, info.lasting_name
        names = {other.name for other in xend.infos.values()}
        free = next(f"{name}-{n}" for n in range(1, 10**6) if f"{name}-{n}" not in names)
        spec = current_spec(info)
        self._release_devices(info)
        xend.store.remove(info.vm_path)
        info.spec = replace(info.spec, name=free, uuid=random_uuid(xend.draw))
        xend.log.info(Messages.renaming, name, info.domid, spec.uuid, free, info.spec.uuid)
        xend.store.write(f"{info.path}/vm", info.vm_path)
        write_vm(xend.store, info)
        rename(xend.store, info, free)
        xend.hypervisor.rename_domain(info.domid, free)
        self._create_again(info, spec)

    def _release_devices(self, info: DomainInfo) -> None:
        hypervisor = self._xend.hypervisor
        for device in list(info.devices):
            if device.kind in DISK_KINDS:
                hypervisor.devices.remove_disk(info.domid, device.number)
            elif device.kind == "vif":
                hypervisor.devices.remove_vif(info.domid, device.number)
            remove_device(self._xend.store, info, device)

    def _refuses(self, info: DomainInfo) -> bool:
        if not self._is_too_fast(info):
            return False
        seconds = (self._xend.timers.now - (info.previous_restart_ns or 0)) / 1e9
        self._xend.log.error(Messages.restarting_too_fast, info.name, seconds)
        self.destroy(info)
        return True

    def _create_again(self, info: DomainInfo, spec: DomainSpec) -> None:
        creation = Creation(self._xend, spec, restarts=info)
        creation.follow(self._restarted)
        with suppress(HostError):  # `_restarted` has logged the error
            creation.begin(creation.start)

    def _restarted(self, operation: Operation) -> None:
        try:
            operation.result()
        except HostError as error:
            self._xend.log.error(FAILED_RESTART, error)


class _AfterDump:
    """Acts on a crash once the domain's core has been written or has failed."""

    def __init__(self, endings: Endings, info: DomainInfo) -> None:
        self._endings = endings
        self._info = info

    def dumped(self, operation: Operation) -> None:
        """Act on the crash."""
        self._endings.act(self._info, CRASH)
