"""Asks for passwords in front of an application, and notes who may change something."""

import base64
import binascii
import hmac
import secrets

import anyio
import anyio.to_thread
import bcrypt
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.service.http import MAY_CHANGE
from xenprof.service.webconfig import WebConfig, WebConfigFile

_LONGEST_PASSWORD_BYTES = 72  # bcrypt ignores the rest, and version 5 raises
_CHECKS_AT_ONCE = 1
_REMEMBERED = 100


class PasswordCheck:
    """Checks passwords by bcrypt; right ones are cached, wrong and unknown ones take as long."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, None] = {}

    def is_right(self, users: dict[str, str], user: str, password: str) -> bool:
        """Return whether `password` is that of `user`; it takes a bcrypt, or no time if cached."""
        secret = password.encode()
        if len(secret) > _LONGEST_PASSWORD_BYTES:
            return False
        # An unknown user's password is compared too, as the time would otherwise show who exists.
        hashed = users.get(user) or next(iter(users.values()))
        proof = hmac.digest(self._key, repr((user, password, hashed)).encode(), "sha256")
        if proof in self._right:
            return True
        if not bcrypt.checkpw(secret, hashed.encode()) or user not in users:
            return False
        if len(self._right) >= _REMEMBERED:
            self._right.clear()
        self._right[proof] = None
        return True


class BasicAuth:
    """ASGI middleware that requires a password where users are given, and adds the headers.

    It notes in the scope, as MAY_CHANGE, whether the request comes from somebody who is known.
    """

    def __init__(self, app: ASGIApp, config: WebConfigFile) -> None:
        """Protect `app`."""
        self._app = app
        self._file = config
        self._check = PasswordCheck()
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        config = self._file.current()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in config.http_server_config.headers.items():
                    answer[name] = value
            await send(message)

        if config.basic_auth_users and not await self._is_allowed(config, Headers(scope=scope)):
            refusal = PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Basic"})
            await refusal(scope, receive, send_with_headers)
            return
        # Whoever comes as far has shown what is asked for: a password here, a certificate to TLS.
        known = {**scope, MAY_CHANGE: config.has_authentication}
        await self._app(known, receive, send_with_headers)

    async def _is_allowed(self, config: WebConfig, headers: Headers) -> bool:
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        if not colon:
            return False
        if self._limiter is None:  # it belongs to the event loop, which runs now
            self._limiter = anyio.CapacityLimiter(_CHECKS_AT_ONCE)
        return await anyio.to_thread.run_sync(
            self._check.is_right, config.basic_auth_users, user, password, limiter=self._limiter
        )
