"""Opens the doors of an agent: sockets, and what stands before them. Strangers find none open."""

import contextlib
import socket
from typing import TYPE_CHECKING, Callable, List, Optional, Sequence

from hypervisor.live.agent.web.config.file import WebConfig, read_config
from hypervisor.live.agent.web.connection import Door, Secure
from hypervisor.live.agent.web.gate import Gate, at_rate, by_host, by_password, let_all_in
from hypervisor.live.agent.web.listening import (
    Address,
    CannotListen,
    is_loopback,
    on_address,
    on_path,
)

if TYPE_CHECKING:
    from hypervisor.live.agent.web.config.file import Tls

_ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


def open_doors(
    addresses: Sequence[Address],
    unix_socket: Optional[str],
    web_config: Optional[str],
    held: contextlib.ExitStack,
    tell: Callable[[str], None],
) -> List[Door]:
    """Return the doors, which `held` closes; `tell` logs a line.

    Raises: CannotListen, WebConfigError, NoBcrypt.
    """
    config = WebConfig() if web_config is None else read_config(web_config)
    secure = None if config.tls is None else _secure(config.tls, tell)
    passwords = _by_password(config) if config.users else None
    headers = _ALWAYS + tuple(config.headers.items())
    doors: List[Door] = []
    for address in addresses:
        for listener in on_address(address):
            held.callback(listener.close)
            if not is_loopback(listener) and (secure is None or not config.has_authentication):
                raise CannotListen(
                    f"{address} can be reached from outside, which needs --web.config.file with "
                    "TLS, and with passwords or certificates of clients"
                )
            gate = passwords or _for_strangers(address, config)
            if config.rate is not None:
                gate = at_rate(config.rate.interval_seconds, config.rate.burst, gate)
            doors.append(Door(listener, gate, secure, headers))
    if unix_socket is not None:
        doors.append(Door(held.enter_context(on_path(unix_socket)), let_all_in, None, headers))
    return doors


def _for_strangers(address: Address, config: WebConfig) -> Gate:
    if config.has_authentication:  # by certificates: TLS has asked for them
        return let_all_in
    return by_host(frozenset((address.host.lower(), socket.gethostname().lower())))


def _by_password(config: WebConfig) -> Gate:
    from hypervisor.live.agent.web.passwords import Passwords, bcrypt

    return by_password(Passwords(config.users, bcrypt()))


def _secure(tls: "Tls", tell: Callable[[str], None]) -> Secure:
    from hypervisor.live.agent.web.tls import Certificates, has_name

    certificates = Certificates(tls, tell)

    def secure(client: socket.socket, go_on_with: Callable[[socket.socket], None]) -> None:
        secured = certificates.context().wrap_socket(
            client, server_side=True, do_handshake_on_connect=False
        )
        go_on_with(secured)
        secured.do_handshake()
        if not has_name(secured, tls):
            raise OSError("the client's certificate has none of client_allowed_sans")

    return secure
