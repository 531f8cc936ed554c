"""Says who gets at a service that has begun to listen."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xenprof.service.webconfig import WebConfigFile


@dataclass(frozen=True, slots=True)
class Reach:
    """The URL of a service; `is_everybodys`: the network reads it, and no password is asked."""

    url: str
    is_everybodys: bool

    @property
    def warning(self) -> str:
        """Return what its user should know, as a line; "" if nothing."""
        if not self.is_everybodys:
            return ""
        return (
            f"xenprof: everybody on the network can read {self.url}; with --web.config.file it "
            "asks for passwords"
        )


def reach(listener: socket.socket, url: str, web_config: "WebConfigFile | None") -> Reach:
    """Return who gets at a listener of TCP under a web configuration."""
    address = ipaddress.ip_address(listener.getsockname()[0].partition("%")[0])
    is_guarded = web_config is not None and web_config.current().has_authentication
    return Reach(url, not address.is_loopback and not is_guarded)
