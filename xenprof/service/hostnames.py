"""Refuses requests over TCP that name another host: the defence against DNS rebinding.

A page of a stranger can let its own name point to this machine; then the browser that shows it
reads what is served here as if it were the page's. Only the header Host tells such a request from
others. An address, as opposed to a name, cannot be made to point elsewhere.

Starlette's TrustedHostMiddleware compares names alone: it knows no ranges of addresses and no dot
at the end, refuses requests without the header, and takes any name where any address is wanted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_HEADER = re.compile(r"(?P<host>\[[^\[\]]+\]|[^\[\]:]+)(:[0-9]*)?", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)

Name = str | IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts that a request may name, besides those of loopback."""

    names: frozenset[Name] = frozenset()
    is_any_address: bool = False

    @classmethod
    def of(cls, listening: Iterable[str], named: Iterable[str] = ()) -> "AllowedHosts":
        """Return what goes with the hosts listened on, as given or bound, and the names allowed.

        A wildcard among `listening` allows every address, but no name.
        Raises: ValueError: one of `named` is neither a name nor an address.
        """
        hosts = [_known(host) for host in listening]
        is_any = any(host == "" or _is_wildcard(host) for host in hosts)
        return cls(frozenset([*hosts, *map(host_name, named)]), is_any)

    def allows(self, header: str) -> bool:
        """Return whether a request may have this header Host; its port does not matter."""
        parts = _HEADER.fullmatch(header.strip())
        if parts is None:
            return False
        host = _known(parts["host"])
        if host == "localhost" or host in self.names:
            return True
        return not isinstance(host, str) and (host.is_loopback or self.is_any_address)


def host_name(text: str) -> Name:
    """Return a host's name or address in the form that is compared. Raises: ValueError."""
    host = _known(text)
    if isinstance(host, str) and not _NAME.fullmatch(host):
        raise ValueError(f"{text!r} is not the name or address of a host; it has no port")
    return host


def _known(text: str) -> Name:
    """Return an address, or else a name in lower case without the dot at its end."""
    try:
        return ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return text.lower().removesuffix(".")


def _is_wildcard(host: Name) -> bool:
    return not isinstance(host, str) and host.is_unspecified


class HostCheck:
    """ASGI middleware that answers 403 to requests that name a host that is not allowed."""

    def __init__(self, app: ASGIApp, allowed: AllowedHosts) -> None:
        """Protect `app`."""
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one without the header, as in HTTP/1.0, names no other host."""
        if all(map(self._allowed.allows, Headers(scope=scope).getlist("host"))):
            await self._app(scope, receive, send)
            return
        text = "this host is not served here; xenprof serve --web.allowed-host NAME allows it\n"
        await PlainTextResponse(text, 403)(scope, receive, send)
