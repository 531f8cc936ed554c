"""Creates a domain in steps: its name, memory, the domain itself, its devices, the first run.

Source: tools/python/xen/xend/XendDomainInfo.py (create, construct, initDomain), 3.0.3.
"""

from collections.abc import Mapping
from typing import Any

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.domain_sxp import config_sxp
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.devicenodes import device_kind, new_device, remove_device
from hypervisor.toolstack.domaininfo import DeviceSpec, DomainInfo
from hypervisor.toolstack.domainnodes import remove_domain, write_domain
from hypervisor.toolstack.operations.freeing import MemoryFreeing, needed_kib
from hypervisor.toolstack.operations.hotplug import Connection
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.xendcontext import XendContext

# xend's own work, and the builder's: the kernel and the first page tables (judgement).
XEND_MS = 30
BUILD_MS = 40


class Creation(Operation):
    """Creates a domain; the result is its id."""

    EVENT = "created"
    KIND = "create"

    def __init__(
        self,
        xend: XendContext,
        spec: DomainSpec,
        *,
        paused: bool = False,
        restarts: DomainInfo | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """`restarts`: the domain that the new one replaces; `saved`: the state it continues."""
        super().__init__(xend, self.KIND if restarts is None else "restart")
        self.domain = spec.name
        self._spec = spec
        self._is_paused = paused
        self._restarts = restarts
        self._saved = saved
        self._info: DomainInfo | None = None
        self._waiting = 0

    def reserve(self) -> None:
        """Reserve the name. Raises: Refused where the name or the uuid is taken."""
        xend, spec = self._xend, self._spec
        for domid, other in xend.infos.items():
            if other.name == spec.name:
                raise Refused(f"VM name '{spec.name}' already in use by domain {domid}")
            if other.spec.uuid == spec.uuid:
                raise Refused(f"VM uuid {spec.uuid} already in use by domain {domid}")
        if spec.name in xend.reserved or spec.uuid in xend.reserved.values():
            raise Refused(f"VM name '{spec.name}' already in use: it is being created")
        xend.reserved[spec.name] = spec.uuid

    def start(self) -> None:
        """Reserve the name, then free the memory."""
        self.reserve()
        self._xend.log.debug(Messages.create, repr(config_sxp(self._spec)))
        MemoryFreeing(self._xend, needed_kib(self._spec), self._freed, self.steps).start()

    def _freed(self, error: HostError | None) -> None:
        if error is not None:
            self.fail(error)
        else:
            self.steps.begin("xend")
            self._xend.hypervisor.run_program("xend", XEND_MS, self._planned)

    def _planned(self) -> None:
        self.steps.end("xend")
        if self._saved is None:
            self.steps.begin("builder")
            self._xend.hypervisor.run_program("builder", BUILD_MS, self._prepared)
        else:  # a saved domain has its kernel in its memory
            self._prepared()

    def _prepared(self) -> None:
        self.steps.end("builder")
        self.step(self._build_if_there_is_room)

    def _build_if_there_is_room(self) -> None:
        """Build the domain unless another one has taken the memory that was free before."""
        need_kib = needed_kib(self._spec)
        if self._xend.hypervisor.physical_info().free_kib >= need_kib:
            self._build()
        else:
            MemoryFreeing(self._xend, need_kib, self._freed, self.steps).start()

    def _build(self) -> None:
        self.make_domain()
        info = self._info
        assert info is not None
        specs = device_specs(self._spec)
        self._waiting = len(specs) + 1
        for kind in sorted({device_kind(spec) for spec in specs}):
            self._xend.log.debug(Messages.device_wait_class, kind)
        for device in [new_device(info, spec) for spec in specs]:
            Connection(self._xend, info, device, self._device_done, self.steps).start()
        self._device_done(None)

    def make_domain(self) -> DomainInfo:
        """Make the domain in the hypervisor, and write its nodes."""
        xend, spec = self._xend, self._spec
        domid = self.domid = xend.hypervisor.create_domain(spec, self._saved)
        info = self._info = DomainInfo(
            domid,
            spec.name,
            spec,
            target_kib=spec.memory_kib,
            maximum_kib=spec.maximum_kib,
            created_unix_ns=xend.unix_ns(),
            online_vcpus=len(spec.initial_vcpus),
        )
        if self._restarts is not None:
            info.restart_count = self._restarts.restart_count + 1
            info.previous_restart_ns = xend.timers.now
        xend.infos[domid] = info
        xend.reserved.pop(spec.name, None)
        write_domain(xend.store, info)
        xend.events["restarted" if self._restarts else self.EVENT] += 1
        xend.log.debug(Messages.construct, None)
        xend.log.debug(Messages.init_domain, domid, spec.legacy_cpu_weight)
        xend.log.info(Messages.build, "hvm" if spec.kind == "hvm" else "linux", domid, spec.vcpus)
        xend.log.debug(Messages.vm_details, _nodes(xend, info.vm_path))
        xend.log.debug(Messages.domain_details, _nodes(xend, info.path))
        return info

    def at_once(self) -> DomainInfo:
        """Create the domain without any waiting, as for the domains of a scenario at boot."""
        self.reserve()
        info = self.make_domain()
        for spec in device_specs(self._spec):
            Connection(self._xend, info, new_device(info, spec), _ignore).at_once()
        if not self._is_paused:
            self._xend.hypervisor.unpause_domain(info.domid)
        return info

    def _device_done(self, error: HostError | None) -> None:
        self._waiting -= 1
        if error is not None:
            self.fail(error)
        elif not self._waiting and not self.is_done:
            self.step(self._unpause)

    def _unpause(self) -> None:
        info = self._info
        assert info is not None
        if info.domid not in self._xend.infos:
            raise Refused(f"Domain '{info.name}' was destroyed while it was being created")
        if not self._is_paused:
            self._xend.hypervisor.unpause_domain(info.domid)
            self._xend.log.info(Messages.unpaused, info.name, info.domid)
        self.finish(info.domid)

    def undo(self) -> None:
        """Give back the name and the devices, and destroy the domain."""
        self._xend.reserved.pop(self._spec.name, None)
        info = self._info
        if info is not None and info.domid in self._xend.infos:
            for device in list(info.devices):
                remove_device(self._xend.store, info, device)
            remove_domain(self._xend.store, info)
            del self._xend.infos[info.domid]
            self._xend.hypervisor.destroy_domain(info.domid)
        elif self._restarts is not None:
            self._xend.store.remove(f"/vm/{self._spec.uuid}")  # kept for this domain until now


def device_specs(spec: DomainSpec) -> list[DeviceSpec]:
    """Return the devices of a configuration, in the order in which they are created."""
    return [*spec.vifs, *spec.disks, *spec.vfbs]


def _nodes(xend: XendContext, path: str) -> dict[str, str]:
    """Return the nodes below `path`, by their paths relative to it."""
    return {name[len(path) + 1 :]: text for name, text in xend.store.walk(path) if text}


def _ignore(error: HostError | None) -> None:
    pass
