"""Reads how a user names a real host: `[NAME=]xen`, `agent:PATH`, `agent:URL` or `ssh:NAME`."""

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hypervisor.errors import HostError
from hypervisor.live.sources.indomain0 import InDomain0
from hypervisor.live.sources.overhttp import Connect, OverHttp, on_tcp, on_unix
from hypervisor.live.sources.overssh import OverSsh
from hypervisor.live.sources.source import Source

FORMS: Final = "xen, agent:PATH, agent:URL or ssh:NAME, each after NAME= if you like"
TIMEOUT_SECONDS: Final = 10.0
"""So long one answer may take; the host is unknown earlier, after three periods; judgement."""
_NAME = re.compile(r"(?P<name>[\w.:@-]+)=(?P<rest>.*)", re.ASCII)
_SSH_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/?", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BadAddress(HostError):
    """Says that an address names no host."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Access:
    """What opens agents that ask for it: USER:PASSWORD, and the authorities to trust."""

    password: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A real host: what it is called here, which tells its series apart, and how it is reached."""

    name: str
    shown: str  # as the user gave it
    open: Callable[[], Source]


def addresses(texts: Sequence[str], access: Access) -> list[Address]:
    """Return the hosts, each of its own name. Raises: BadAddress."""
    found = [_address(text, access) for text in texts]
    by_name: dict[str, Address] = {}
    for one in found:
        other = by_name.setdefault(one.name, one)
        if other is not one:
            raise BadAddress(
                f"{other.shown} and {one.shown} are both called {one.name}: "
                f"name one of them, other={one.shown} for example"
            )
    return found


def _address(text: str, access: Access) -> Address:
    given = _NAME.fullmatch(text)
    rest = given["rest"] if given else text
    kind, _, place = rest.partition(":")
    opened: Callable[[], Source]
    if rest == "xen":
        name, opened = socket.gethostname(), InDomain0.opened
    elif kind == "agent" and place.startswith(("http://", "https://")):
        name, opened = _url(place, access)
    elif kind == "agent" and place.startswith(("/", "./", "../")):
        name, opened = socket.gethostname(), _over_http(on_unix(Path(place)), access)
    elif kind == "ssh" and _SSH_NAME.fullmatch(place):
        name, opened = place.rpartition("@")[2], _over_ssh(place)
    else:
        raise BadAddress(f"{_without_password(text)!r} names no host; give {FORMS}{_meant(rest)}")
    return Address(given["name"] if given else name, rest, opened)


def _url(url: str, access: Access) -> tuple[str, Callable[[], Source]]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise BadAddress(f"{_without_password(url)!r} is not a URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise BadAddress(
            "a password in a URL is seen by all who see processes: use --host.password-file"
        )
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadAddress(f"{url!r} is not the address of an agent, such as https://xen1:10032")
    if parts.scheme == "https":
        return host, _over_http(on_tcp(host, port, _trusting(access)), access)
    if access.password is not None and host not in _LOOPBACK:
        raise BadAddress(f"{url}: a password is sent by https only, or on this machine")
    return host, _over_http(on_tcp(host, port, None), access)


def _meant(text: str) -> str:
    """Return a question for the agent of an address without its form, "" if it is none."""
    place = text.removeprefix("agent:")
    if _AUTHORITY.fullmatch(place):
        place = f"http://{place}"
    elif not place.startswith(("http://", "https://", "/")) or "@" in place:
        return ""
    return f"; did you mean agent:{place}?"


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]


def _over_http(connect: Connect, access: Access) -> Callable[[], Source]:
    return lambda: OverHttp(connect, password=access.password, timeout_seconds=TIMEOUT_SECONDS)


def _over_ssh(name: str) -> Callable[[], Source]:
    return lambda: OverSsh(name, timeout_seconds=TIMEOUT_SECONDS)


def _trusting(access: Access) -> ssl.SSLContext:
    """Return TLS that trusts the authorities of a file, or those of the system."""
    try:
        return ssl.create_default_context(cafile=access.ca_file)
    except OSError as error:  # a file that is not of certificates as well
        raise BadAddress(f"{access.ca_file}: {error.strerror or error}") from None
