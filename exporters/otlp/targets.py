"""Finds where and how each signal is sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from exporters.otlp.environment import Environment
from exporters.otlp.variables import SIGNALS
from xenprof.discretion import Secrets, shown_url
from xenprof.service.exporter import ExporterSettings, OtlpProtocol

PREFIX = "OTEL_EXPORTER_OTLP_"
DEFAULT_TIMEOUT_SECONDS = 10.0
LONGEST_SENSIBLE_TIMEOUT_SECONDS = 600.0  # more is probably meant in milliseconds; judgement
PROFILES_PATH = "/v1development/profiles"
_PROTOCOLS: tuple[OtlpProtocol, ...] = ("http/protobuf", "grpc")
_DEFAULT_URLS = {"http/protobuf": "http://localhost:4318", "grpc": "http://localhost:4317"}
"""Where a signal is sent for which OTEL_..._EXPORTER=otlp is all that is set."""
_HEADER_NAMES = {
    "http/protobuf": re.compile(
        r"(?!(?:content-encoding|content-length|transfer-encoding)$)[!#$%&'*+.^_`|~0-9a-z-]+"
    ),
    # The library complains of others with each request; names in -bin are for bytes.
    "grpc": re.compile(r"[0-9a-z_.-]+(?<!-bin)"),
}
"""The names of headers that may be given, in small letters."""

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how the requests of one signal are sent."""

    url: str  # gRPC: scheme and address; HTTP: all of it
    protocol: OtlpProtocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold secrets
    compression: str = "none"  # none | gzip | deflate
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    certificate: Path | None = None
    client_key: Path | None = None
    client_certificate: Path | None = None
    is_secure: bool = False

    @property
    def shown_url(self) -> str:
        """Return the URL without user, password and query."""
        return shown_url(self.url)

    @property
    def secrets(self) -> Secrets:
        """Return what a receiver may repeat, and nobody else may see."""
        return Secrets(self.url, self.headers.values())


def target_of(
    signal: str, environment: Environment, given: ExporterSettings, warn: Warn
) -> Target | None:
    """Return the target of a signal; None if it is not wanted, or if its endpoint is no URL."""
    own, common = _names(signal, "ENDPOINT")
    protocol = given.otlp_protocol or _protocol(signal, environment)
    base = given.otlp_endpoint or (None if environment.text(own) else environment.text(common))
    if base is None and environment.text(own, f"OTEL_{signal.upper()}_EXPORTER") == "otlp":
        base = _DEFAULT_URLS[protocol]
    endpoint = base or environment.text(own)
    if endpoint is None or not _is_url(endpoint, protocol, signal, warn):
        return None
    if base and protocol != "grpc":
        endpoint = _whole_url(base, signal)
    return _target(endpoint, protocol, signal, environment)


def target_of_profiles(
    environment: Environment, given: ExporterSettings, warn: Warn
) -> Target | None:
    """Return the target of profiles, which only an option asks for; None without it.

    Over HTTP a URL without a path gets the default one.
    """
    url = given.otlp_profiles
    protocol = given.otlp_protocol or _protocol("profiles", environment)
    if url is None or not _is_url(url, protocol, "profiles", warn):
        return None
    parts = urlsplit(url)
    if protocol != "grpc" and parts.path in ("", "/"):
        url = urlunsplit(parts._replace(path=PROFILES_PATH))
    return _target(url, protocol, "profiles", environment)


def _names(signal: str, kind: str) -> tuple[str, str]:
    return f"{PREFIX}{signal.upper()}_{kind}", f"{PREFIX}{kind}"


def _protocol(signal: str, environment: Environment) -> OtlpProtocol:
    return environment.choice(_names(signal, "PROTOCOL"), _PROTOCOLS, _PROTOCOLS[0])


def _target(url: str, protocol: OtlpProtocol, signal: str, environment: Environment) -> Target:
    def names(kind: str) -> tuple[str, str]:
        return _names(signal, kind)

    timeout = environment.number(names("TIMEOUT"), DEFAULT_TIMEOUT_SECONDS, least=0.001)
    if timeout > LONGEST_SENSIBLE_TIMEOUT_SECONDS:
        environment.refuse(names("TIMEOUT"), "is in seconds", f"{DEFAULT_TIMEOUT_SECONDS:g}")
        timeout = DEFAULT_TIMEOUT_SECONDS
    scheme = urlsplit(url).scheme
    return Target(
        url=url,
        protocol=protocol,
        headers=environment.pairs(names("HEADERS"), _HEADER_NAMES[protocol].fullmatch),
        compression=environment.choice(names("COMPRESSION"), ("none", "gzip", "deflate"), "none"),
        timeout_seconds=timeout,
        certificate=environment.file(*names("CERTIFICATE")),
        client_key=environment.file(*names("CLIENT_KEY")),
        client_certificate=environment.file(*names("CLIENT_CERTIFICATE")),
        is_secure=scheme == "https"
        or (scheme != "http" and not environment.is_true(*names("INSECURE"))),
    )


def _whole_url(base: str, signal: str) -> str:
    """Return the URL of a signal below a base URL, which may be that of the metrics already."""
    parts = urlsplit(base)
    path = parts.path
    for known in SIGNALS:
        path = path.removesuffix(f"/v1/{known}")
    return urlunsplit(parts._replace(path=f"{path.rstrip('/')}/v1/{signal}"))


def _is_url(endpoint: str, protocol: OtlpProtocol, signal: str, warn: Warn) -> bool:
    problem = _problem_of(endpoint, protocol)
    if problem is not None:
        warn(f"OTLP endpoint {shown_url(endpoint)!r} {problem}; {signal} are not sent")
    return problem is None


def _problem_of(endpoint: str, protocol: OtlpProtocol) -> str | None:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError as error:
        # The reason may show a part of a password that is not encoded.
        return "is not a URL" if "@" in endpoint else f"is not a URL ({error})"
    if parts.scheme in ("http", "https"):
        return None if parts.hostname else "names no host"
    if protocol == "grpc" and not any(char.isspace() or char == "/" for char in endpoint):
        return None  # HOST:PORT
    return "does not begin with http:// or https://"
