"""Asks for passwords in front of an application, and notes who may change something."""

import base64
from collections import Counter
from typing import NamedTuple

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from xenprof.errors import XenprofError
from xenprof.service.http import MAY_CHANGE
from xenprof.service.passwords import PasswordCheck
from xenprof.service.turns import Turns
from xenprof.service.webconfig import WebConfigFile

_WAITING_PER_ADDRESS = 8  # more than the six connections that a browser opens at once
_WAITING_IN_ALL = 64
_RETRY_AFTER_SECONDS = 5  # about as long as so many checks take at cost 12


class _Credentials(NamedTuple):
    user: str
    password: str


class TooManyWait(XenprofError):
    """Refuses to check a password when as many are waiting as may, of the address or in all."""

    http_status = 429

    def __init__(self) -> None:
        """Say what there are too many of."""
        super().__init__("too many passwords to check")


class BasicAuth:
    """ASGI middleware that requires a password where users are given.

    It notes in the scope, as MAY_CHANGE, whether the request comes from somebody who is known.
    """

    def __init__(self, app: ASGIApp, config: WebConfigFile) -> None:
        """Protect `app`."""
        self._app = app
        self._file = config
        self._check = PasswordCheck()
        self._turns = Turns(_WAITING_IN_ALL)
        self._waiting: Counter[str] = Counter()  # passwords to check, by the client's address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        config = self._file.in_force_for(scope)
        refusal = None
        if config.basic_auth_users:
            refusal = await self._refusal(config.basic_auth_users, scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        # Whoever comes as far has shown what is asked for: a password here, a certificate to TLS.
        known = {**scope, MAY_CHANGE: config.has_authentication}
        await self._app(known, receive, send)

    async def _refusal(self, users: dict[str, str], scope: Scope) -> PlainTextResponse | None:
        """Return the answer to somebody who is none of the users; None for a user."""
        given = _credentials(Headers(scope=scope))
        try:
            if given is not None and await self._is_right(users, given, scope):
                return None
        except TooManyWait as error:
            later = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
            return PlainTextResponse(f"{error}\n", error.http_status, later)
        return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Basic"})

    async def _is_right(self, users: dict[str, str], given: _Credentials, scope: Scope) -> bool:
        """Return whether the password is right. Raises: TooManyWait."""
        if self._check.is_remembered(users, *given):
            return True  # without waiting behind those who guess
        address = scope["client"][0] if scope.get("client") else ""
        if self._waiting[address] >= _WAITING_PER_ADDRESS:
            raise TooManyWait
        self._waiting[address] += 1
        try:
            if not await self._turns.take(address):
                raise TooManyWait
            try:
                return await anyio.to_thread.run_sync(self._check.is_right, users, *given)
            finally:
                self._turns.leave()
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


def _credentials(headers: Headers) -> _Credentials | None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # from either decoder
        return None
    return _Credentials(user, password) if colon else None
