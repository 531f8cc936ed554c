"""Xen's own console: the ring of its messages, and its debug keys."""

from hypervisor.host import Telemetry
from hypervisor.toolstack.records.bootring import MessageRing, boot_messages, xen_lines
from hypervisor.toolstack.records.debugkeys import debug_keys
from hypervisor.toolstack.xendcontext import XendContext


class XenConsole:
    """Keeps the ring of messages and handles debug keys (see `control.XenConsole`)."""

    def __init__(self, context: XendContext, telemetry: Telemetry) -> None:
        self._context = context
        self._telemetry = telemetry
        self._ring = MessageRing()

    def boot(self, domain0_vcpus: int, domain0_kib: int) -> None:
        """Fill the ring with the hypervisor's boot messages."""
        info = self._context.hypervisor.physical_info()
        self._ring.write(boot_messages(info, domain0_vcpus, domain0_kib))

    def text(self) -> str:
        """Return the messages that the ring still holds."""
        return self._ring.text()

    def clear(self) -> None:
        """Empty the ring."""
        self._ring.clear()

    def press(self, keys: str) -> None:
        """Press debug keys; their output goes to the ring (3.1)."""
        self._ring.write(xen_lines(debug_keys(keys, self._telemetry.snapshot())))
