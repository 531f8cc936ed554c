"""Tells systemd that the agent is ready, or ends. Source: sd_notify(3)."""

import contextlib
import os
import socket


def take_address() -> str:
    """Return where systemd is told; empty if nobody wants to be. Children are not to speak."""
    return os.environ.pop("NOTIFY_SOCKET", "")


def tell(address: str, message: str) -> None:
    """Send a message such as READY=1. A supervisor that cannot be reached changes nothing."""
    if not address:
        return
    where = "\0" + address[1:] if address.startswith("@") else address  # an abstract name
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    with sender, contextlib.suppress(OSError):
        sender.setblocking(False)
        sender.sendto(message.encode(), where)
