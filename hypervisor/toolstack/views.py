"""What xend tells: the host, a domain's configuration and devices, the store, the log."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypervisor.errors import Refused
from hypervisor.toolstack.config.domain_sxp import described_sxp
from hypervisor.toolstack.config.sxp import Sxp
from hypervisor.toolstack.devicenodes import device_row
from hypervisor.toolstack.domaininfo import current_spec
from hypervisor.toolstack.hostinfo import info_rows
from hypervisor.toolstack.operations.ending import REASONS
from hypervisor.toolstack.records.bootring import MessageRing, boot_messages
from hypervisor.toolstack.resources import Resources
from hypervisor.toolstack.xendcontext import XendContext

_DEVICE_CLASSES = {"vbd": ("vbd", "tap"), "vif": ("vif",), "vfb": ("vfb",), "vtpm": ()}


class Views(Resources):
    """This part of xend. Methods raise UnknownDomain or Refused."""

    def __init__(self, context: XendContext) -> None:
        super().__init__(context)
        self.ring = MessageRing()

    def boot_messages(self, domain0_vcpus: int, domain0_kib: int) -> None:
        """Fill the hypervisor's ring with what it says when it boots."""
        info = self.context.hypervisor.physical_info()
        self.ring.write(boot_messages(info, domain0_vcpus, domain0_kib))

    def info(self) -> Mapping[str, str]:
        """Return the rows of `xm info`, in order."""
        return info_rows(self.context.hypervisor.physical_info(), self.context.tools)

    def dmesg(self) -> str:
        """Return the hypervisor's message ring."""
        return self.ring.text()

    def clear_dmesg(self) -> None:
        """Empty it."""
        self.ring.clear()

    def take_log(self) -> Sequence[str]:
        """Return the lines of xend.log since the last call."""
        return self.context.log.take()

    def xenstore(self) -> Sequence[tuple[str, str]]:
        """Return (path, text) of every node, depth first."""
        return list(self.context.store.walk())

    def console(self, domain: str) -> str:
        """Return what the guest has lately written to its console."""
        return self.context.hypervisor.console(self.find(domain).domid)

    def devices(self, domain: str, kind: str) -> Sequence[Mapping[str, Any]]:
        """Return the devices of a class (vbd, vif, vfb, vtpm) as lists of them show them."""
        info = self.find(domain)
        if kind not in _DEVICE_CLASSES:
            raise Refused(f"no device class '{kind}'; use {', '.join(_DEVICE_CLASSES)}")
        found = [one for one in info.devices if one.kind in _DEVICE_CLASSES[kind]]
        return [device_row(self.context.store, one) for one in found]

    def sxp(self, domain: str) -> Sxp:
        """Return what `xm list --long` shows of a domain."""
        info = self.find(domain)
        context = self.context
        state = context.hypervisor.domain_state(info.domid)
        described = described_sxp(current_spec(info), context.tools)
        entries: list[Sxp] = [["domid", str(info.domid)], *described[1:]]
        reason = state.shutdown_reason or 0
        entries += [
            ["state", state.letters],
            ["shutdown_reason", REASONS[reason]],
            ["cpu_time", f"{state.cpu_ns / 1e9:.9f}"],
            ["online_vcpus", str(state.online_vcpus)],
            ["up_time", f"{(context.unix_ns() - info.created_unix_ns) / 1e9:.9f}"],
            ["start_time", f"{info.created_unix_ns / 1e9:.2f}"],
        ]
        for ring in ("store", "console"):
            frame = context.store.read(f"{info.path}/{ring}/ring-ref")
            entries += [[f"{ring}_mfn", frame]] if frame else []
        return ["domain", *entries]
