"""Attaches, detaches and lists the devices of domains, and changes the media of drives.

Source: tools/python/xen/xend/XendDomainInfo.py (device_create, device_configure, destroyDevice),
3.0.3.
"""

from collections.abc import Sequence

from hypervisor.devicerows import DeviceRow
from hypervisor.errors import Refused
from hypervisor.toolstack.config.devices import DiskSpec, parse_disk
from hypervisor.toolstack.config.limits import check_network, check_vif_count
from hypervisor.toolstack.config.settings import vif_spec
from hypervisor.toolstack.devicenodes import device_row
from hypervisor.toolstack.operations.attaching import (
    Attaching,
    Detaching,
    change_medium,
    find_disk,
    find_vif,
)
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.operations.recording import recorded
from hypervisor.toolstack.xendcontext import XendContext

_CLASSES = {"vbd": ("vbd", "tap"), "vif": ("vif",), "vfb": ("vfb",), "vtpm": ()}


class Devices:
    """Attaches, detaches and lists devices (see `control.Devices`)."""

    def __init__(self, context: XendContext) -> None:
        self._context = context

    def rows(self, domain: str, kind: str) -> Sequence[DeviceRow]:
        """Return the rows of the lists that show devices of a class (vbd, vif, vfb, vtpm)."""
        info = self._context.find(domain)
        if kind not in _CLASSES:
            raise Refused(f"no device class '{kind}'; use {', '.join(_CLASSES)}")
        found = [one for one in info.devices if one.kind in _CLASSES[kind]]
        return [device_row(self._context.store, one) for one in found]

    @recorded("block-attach")
    def attach_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> Operation:
        """Attach a disk to the domain; the result is None."""
        info = self._context.find(domain)
        spec = self._disk(backend, frontend, mode, backend_domain)
        attaching = Attaching(self._context, info, spec)
        return attaching.begin(attaching.start)

    @recorded("block-configure")
    def configure_block(
        self, domain: str, backend: str, frontend: str, mode: str, backend_domain: str = ""
    ) -> None:
        """Put another medium into the domain's CD-ROM drive; anything else is refused."""
        info = self._context.find(domain)
        change_medium(self._context, info, self._disk(backend, frontend, mode, backend_domain))

    def _disk(self, backend: str, frontend: str, mode: str, backend_domain: str) -> DiskSpec:
        if any("," in text for text in (backend, frontend, mode, backend_domain)):
            raise Refused(f"Invalid disk specifier: {backend},{frontend},{mode}")
        if mode not in ("r", "w", "w!"):
            raise Refused(f"Invalid mode: {mode}")
        spec = parse_disk(f"{backend},{frontend},{mode}")
        if backend_domain:
            owner = self._context.find(backend_domain)
            if owner.domid:
                raise Refused(f"Domain '{owner.name}' is no backend: disks come from Domain-0 here")
        return spec

    @recorded("block-detach")
    def detach_block(self, domain: str, device: str, *, force: bool = False) -> None:
        """Ask the guest to give up a disk, called by number or name."""
        info = self._context.find(domain)
        found = find_disk(info, device, self._context.tools)
        self._detach(Detaching(self._context, info, found), force)

    @recorded("network-attach")
    def attach_network(self, domain: str, options: str) -> Operation:
        """Attach a network interface with these comma-separated options to the domain."""
        info = self._context.find(domain)
        spec = vif_spec(options, is_hvm=info.spec.kind == "hvm", draw=self._context.draw)
        check_network(spec)
        if self._context.support_limits and info.domid:
            check_vif_count(1 + sum(device.kind == "vif" for device in info.devices))
        attaching = Attaching(self._context, info, spec)
        return attaching.begin(attaching.start)

    @recorded("network-detach")
    def detach_network(self, domain: str, index: int, *, force: bool = False) -> None:
        """Ask the guest to give up a network interface."""
        info = self._context.find(domain)
        self._detach(Detaching(self._context, info, find_vif(info, index)), force)

    def _detach(self, detaching: Detaching, force: bool) -> None:
        if not force:
            detaching.begin(detaching.start)
        elif self._context.tools == "3.0.3":
            raise Refused("there is no force in tools 3.0.3: the guest must give the device up")
        else:
            detaching.begin(detaching.force)
