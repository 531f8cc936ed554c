"""Event channels: a domain's ports, what they are bound to, and their notifications.

Source: xen/common/event_channel.c, xen/include/public/event_channel.h.
"""

from typing import Final

from hypervisor.errors import Refused

# NR_EVENT_CHANNELS, the square of the bits of a word; port 0 is reserved.
PORTS: Final = {"i386": 1024, "x86_64": 4096}


class Port:
    """A port. `kind` is interdomain, virq or pirq; `name` says what it is for."""

    __slots__ = ("kind", "name", "number", "received", "sent", "vcpu")

    def __init__(self, number: int, kind: str, name: str, vcpu: int) -> None:
        self.number = number
        self.kind = kind
        self.name = name
        self.vcpu = vcpu  # where its upcall is delivered
        self.sent = 0
        self.received = 0

    def notify(self, peer: "Port", events: int = 1) -> None:
        """Count `events` notifications from this port to the port that it is connected with."""
        self.sent += events
        peer.received += events


class EventChannels:
    """The ports of one domain."""

    __slots__ = ("_closed_received", "_closed_sent", "limit", "ports")

    def __init__(self, limit: int = PORTS["x86_64"]) -> None:
        self.limit = limit
        self.ports: dict[int, Port] = {}
        self._closed_sent = self._closed_received = 0  # over ports that are closed

    def bind(self, kind: str, name: str, vcpu: int = 0) -> Port:
        """Bind the lowest free port. Raises: Refused when there is none (ENOSPC)."""
        for number in range(1, self.limit):
            if number not in self.ports:
                port = self.ports[number] = Port(number, kind, name, vcpu)
                return port
        raise Refused("(28, 'No space left on device'): no free event channel")

    def close(self, port: Port) -> None:
        """Close a port; its notifications stay counted."""
        if self.ports.pop(port.number, None) is not None:
            self._closed_sent += port.sent
            self._closed_received += port.received

    @property
    def used(self) -> int:
        """Return the number of ports that cannot be had, of `limit`: also the reserved one."""
        return 1 + len(self.ports)

    @property
    def sent(self) -> int:
        """Return the notifications sent by all ports, also by closed ones."""
        return self._closed_sent + sum(port.sent for port in self.ports.values())

    @property
    def received(self) -> int:
        """Return the notifications received by all ports, also by closed ones."""
        return self._closed_received + sum(port.received for port in self.ports.values())
