"""Reads the web configuration file that Prometheus exporters share: TLS, headers, passwords.

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md (the keys).
"""

import base64
import binascii
import hmac
import re
import secrets
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread
import bcrypt
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xenprof.errors import XenprofError

HeaderName = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
_BCRYPT_HASH = re.compile(r"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_LONGEST_PASSWORD_BYTES = 72  # bcrypt ignores the rest, and version 5 raises
_CHECKS_AT_ONCE = 1
_REMEMBERED = 100


class WebConfigError(XenprofError):
    """Says that a web config file cannot be used; names file, key and reason."""

    exit_code = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsServerConfig(_Strict):
    """The files of certificate and key, relative to the config file; optionally clients' too."""

    cert_file: str
    key_file: str
    client_ca_file: str | None = None
    client_auth_type: Literal["NoClientCert", "RequireAndVerifyClientCert"] = "NoClientCert"


class HttpServerConfig(_Strict):
    """Headers to add to every response."""

    headers: dict[HeaderName, str] = Field(default_factory=dict)


class WebConfig(_Strict):
    """The contents of the file."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: dict[str, str] = Field(default_factory=dict)

    @field_validator("basic_auth_users")
    @classmethod
    def _are_bcrypt(cls, users: dict[str, str]) -> dict[str, str]:
        for user, hashed in users.items():
            if not _BCRYPT_HASH.fullmatch(hashed):
                raise ValueError(f"the password of {user!r} is not a bcrypt hash")
        return users

    @property
    def has_authentication(self) -> bool:
        """Return whether clients must show a password or a certificate."""
        tls = self.tls_server_config
        return bool(self.basic_auth_users) or (
            tls is not None and tls.client_auth_type == "RequireAndVerifyClientCert"
        )


class WebConfigFile:
    """Reads a web config file again when it has changed, so that passwords can rotate."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises: WebConfigError."""
        self.path = path
        self._stamp = (0, 0)
        self._config = WebConfig()
        self.current()

    def current(self) -> WebConfig:
        """Return the present contents of the file. Raises: WebConfigError."""
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._config = _parse(self.path)
                self._stamp = stamp
        except OSError as error:
            raise WebConfigError(f"{self.path}: {error.strerror}") from None
        return self._config


def _parse(path: Path) -> WebConfig:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        config = WebConfig.model_validate(content or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise WebConfigError(f"{path}: {key or 'top level'}: {first['msg']}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WebConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    tls = config.tls_server_config
    if tls is not None:
        if tls.client_auth_type != "NoClientCert" and tls.client_ca_file is None:
            raise WebConfigError(f"{path}: client_auth_type needs client_ca_file")
        for file in (tls.cert_file, tls.key_file, tls.client_ca_file):
            if file is not None and not (path.parent / file).is_file():
                raise WebConfigError(f"{path}: tls_server_config: no such file: {file}")
    return config


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
    """ASGI middleware that requires a password where users are given, and adds the headers."""

    def __init__(self, app: ASGIApp, config: WebConfigFile) -> None:
        """Protect `app`."""
        self._app = app
        self._file = config
        self._check = PasswordCheck()
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            config = self._file.current()
        except WebConfigError as error:
            await PlainTextResponse(f"{error}\n", 500)(scope, receive, send)
            return

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
        await self._app(scope, receive, send_with_headers)

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
