"""Reads the web configuration file that Prometheus exporters share: TLS, headers, passwords.

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md (the keys).
"""

import logging
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, StrictBool, ValidationError, field_validator, model_validator
from starlette.types import Scope

from hypervisor.live.agent.web.config.file import BCRYPT_HASH
from hypervisor.wholetext import read_regular, read_whole
from xenprof.errors import XenprofError
from xenprof.service.tlsconfig import Strict, TlsServerConfig

log = logging.getLogger(__name__)

HeaderName = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]
_HEADER_VALUES: Mapping[HeaderName, tuple[str, ...]] = {
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
}
_IN_FORCE = "xenprof.web_config"  # in the scope of a request
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)", re.ASCII)
_DURATION = re.compile(rf"0|(?:{_PART.pattern}){{1,6}}", re.ASCII)


class WebConfigError(XenprofError):
    """Says that a web config file cannot be used; names file, key and reason."""

    exit_code = 2


class HttpServerConfig(Strict):
    """Headers to add to every response. `http2` has no effect: HTTP/1.1 is spoken here."""

    http2: StrictBool = True
    headers: dict[HeaderName, str] = Field(default_factory=dict)

    @field_validator("headers")
    @classmethod
    def _have_known_values(cls, headers: dict[HeaderName, str]) -> dict[HeaderName, str]:
        for name, values in _HEADER_VALUES.items():
            value = headers.get(name)
            if value is not None and value not in values:
                raise ValueError(f"{name} is one of {', '.join(values)}, not {value!r}")
        return headers


class RateLimitConfig(Strict):
    """How many requests are answered: `burst` at once, then one each interval; 0: all."""

    interval_seconds: float = Field(default=0.0, alias="interval")
    burst: int = Field(default=0, ge=0, le=10**9)

    @field_validator("interval_seconds", mode="before")
    @classmethod
    def _is_duration(cls, text: object) -> float:
        if isinstance(text, int) and not isinstance(text, bool):
            return abs(text) / 1e9  # nanoseconds, as Go reads a number
        if not isinstance(text, str) or not _DURATION.fullmatch(text):
            raise ValueError("write a duration such as 1s, 500ms or 1m30s")
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))

    @model_validator(mode="after")
    def _lets_some_through(self) -> Self:
        if self.interval_seconds and not self.burst:
            raise ValueError("burst 0 would refuse every request; write how many may come at once")
        return self

    @property
    def is_on(self) -> bool:
        """Return whether there is a limit."""
        return self.interval_seconds > 0


class WebConfig(Strict):
    """The contents of the file."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig = HttpServerConfig()
    rate_limit: RateLimitConfig = RateLimitConfig()
    basic_auth_users: dict[str, str] = Field(default_factory=dict)

    @field_validator("basic_auth_users", mode="before")
    @classmethod
    def _may_be_left_empty(cls, users: object) -> object:
        return {} if users is None else users

    @field_validator("basic_auth_users")
    @classmethod
    def _are_bcrypt(cls, users: dict[str, str]) -> dict[str, str]:
        for user, hashed in users.items():
            if not BCRYPT_HASH.fullmatch(hashed):
                raise ValueError(f"the password of {user!r} is not a bcrypt hash")
        return users

    @property
    def has_authentication(self) -> bool:
        """Return whether clients must show a password or a certificate."""
        return bool(self.basic_auth_users) or self.has_client_certificates

    @property
    def has_client_certificates(self) -> bool:
        """Return whether clients must show a certificate."""
        tls = self.tls_server_config
        return tls is not None and tls.client_auth_type == "RequireAndVerifyClientCert"

    def protects_less_than(self, other: "WebConfig") -> bool:
        """Return whether something guards `other` that is gone here.

        That is users, certificates, TLS, or the limit of requests.
        """
        return (
            bool(other.basic_auth_users) > bool(self.basic_auth_users)
            or other.has_client_certificates > self.has_client_certificates
            or other.rate_limit.is_on > self.rate_limit.is_on
            or (other.tls_server_config is not None and self.tls_server_config is None)
        )


class WebConfigFile:
    """Keeps the last good contents of a web config file in force until better ones are complete.

    The file may change while the service runs, so that passwords can rotate. It is read for each
    request, as neither its time nor its size tells apart two changes within one clock tick.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raises: WebConfigError."""
        self.path = path
        try:
            self._seen: bytes | str = read_whole(path)
        except OSError as error:
            raise WebConfigError(f"{path}: {error.strerror}") from None
        self._in_force = _parse(path, self._seen)

    def current(self) -> WebConfig:
        """Return what is in force: the file as it is if it can be used, else as it last could.

        Why a change is not taken over is logged once for each change.
        """
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._take_over(seen)
            except WebConfigError as error:
                log.warning("%s; what was read before stays in force", error)
        return self._in_force

    def in_force_for(self, scope: Scope) -> WebConfig:
        """Return what is in force for one request: it is read once, by who first asks."""
        if _IN_FORCE not in scope:
            scope[_IN_FORCE] = self.current()
        config: WebConfig = scope[_IN_FORCE]
        return config

    def _look(self) -> bytes | str:
        """Return the contents of the file, or why there are none."""
        try:
            # Reading a pipe would wait for its writer, and every request with it.
            return read_regular(self.path)
        except OSError as error:
            return error.strerror or str(error)

    def _take_over(self, seen: bytes | str) -> None:
        if isinstance(seen, str):
            raise WebConfigError(f"{self.path}: {seen}")
        if not seen.strip():
            raise WebConfigError(f"{self.path}: is empty")
        config = _parse(self.path, seen)
        if config.protects_less_than(self._in_force):
            raise WebConfigError(f"{self.path}: protects less than before, which needs a restart")
        tls, wanted = self._in_force.tls_server_config, config.tls_server_config
        if tls is not None and wanted is not None:
            tls = tls.with_certificates_of(wanted)
        if tls != wanted:
            log.warning(
                "%s: in tls_server_config only certificates change without a restart", self.path
            )
        # Who is connected was let in by the settings of the start, so these stay in force.
        self._in_force = config.model_copy(update={"tls_server_config": tls})


def _parse(path: Path, text: bytes) -> WebConfig:
    try:
        content = yaml.load(text.decode(), _Loader)
    except Exception as error:  # PyYAML lets out whatever a strange value makes it run into
        reason = " ".join(str(error).split())
        raise WebConfigError(f"{path}: not YAML: {reason}") from None
    try:
        config = WebConfig.model_validate({} if content is None else content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        told = _unknown(first["loc"]) if first["type"] == "extra_forbidden" else first["msg"]
        told = told.removeprefix("Value error, ")
        raise WebConfigError(f"{path}: {key or 'top level'}: {told}") from None
    tls = config.tls_server_config
    if tls is not None:
        for file in (tls.cert_file, tls.key_file, tls.client_ca_file):
            if file and not (path.parent / file).is_file():
                raise WebConfigError(f"{path}: tls_server_config: no such file: {file}")
    return config


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, which YAML would take from its last place."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.YAMLError(f"{key} is given twice, {key_node.start_mark}")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _unknown(place: tuple[int | str, ...]) -> str:
    """Return what is told of a key that is not known at its place."""
    *above, _ = place
    parts: dict[str, type[Strict]] = {"": WebConfig, "tls_server_config": TlsServerConfig,
             "http_server_config": HttpServerConfig, "rate_limit": RateLimitConfig}  # fmt: skip
    part = parts.get(str(above[0]) if above else "", WebConfig)
    known = ", ".join(field.alias or key for key, field in part.model_fields.items())
    return f"no such key; there are {known}"
