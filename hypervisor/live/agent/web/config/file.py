"""Reads the web configuration file that Prometheus exporters share: TLS, headers, passwords.

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md. Other than the service,
an agent reads certificates from files only, and speaks TLS 1.2 and 1.3 only.
"""

import re
from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.limits import MOST_CONFIG_BYTES
from hypervisor.live.agent.web.config.nodes import file_of, keys_of, text_of, texts_of, truth_of
from hypervisor.live.agent.web.config.plainyaml import Node, NotPlain, read

VERSIONS = ("TLS12", "TLS13")
CLIENT_AUTHS = {
    "": False,
    "NoClientCert": False,
    "RequestClientCert": False,
    "VerifyClientCertIfGiven": True,
    "RequireAndVerifyClientCert": True,
}
"""Whether a certificate that a client shows is verified."""
_HEADERS: Mapping[str, Sequence[str]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that may be set, and their values; (): any."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ns|us|ms|s|m|h)){1,6}")
BCRYPT_HASH = re.compile(
    r"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}", re.ASCII
)
"""The last of the 22 characters of the salt has 2 bits of the 128."""


class WebConfigError(AgentError):
    """Says that a web config file cannot be used; names file, line and reason."""

    exit_code = 2


class Tls(NamedTuple):
    """Certificate and key, by their paths, and what TLS allows."""

    cert_file: str
    key_file: str
    client_ca_file: str = ""
    client_auth_type: str = ""
    client_allowed_sans: Tuple[str, ...] = ()
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: Tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: Tuple[str, ...] = ()


class Rate(NamedTuple):
    """How many requests are answered: `burst` at once, then one each interval."""

    interval_seconds: float
    burst: int


class WebConfig(NamedTuple):
    """The contents of the file."""

    tls: Optional[Tls] = None
    headers: Mapping[str, str] = {}
    users: Mapping[str, str] = {}  # bcrypt hashes of their passwords
    rate: Optional[Rate] = None

    @property
    def has_authentication(self) -> bool:
        """Return whether clients must show a password or a certificate."""
        is_verified = (
            self.tls is not None and self.tls.client_auth_type == "RequireAndVerifyClientCert"
        )
        return bool(self.users) or is_verified


def read_config(path: str) -> WebConfig:
    """Return what a file holds. Raises: WebConfigError."""
    try:
        with Path(path).open("rb") as file:
            # One byte more than it may have tells that it has too many.
            content = file.read(MOST_CONFIG_BYTES + 1)
    except OSError as error:
        raise WebConfigError(f"{path}: {error.strerror}") from None
    if len(content) > MOST_CONFIG_BYTES:
        raise WebConfigError(f"{path}: has more than {MOST_CONFIG_BYTES} bytes")
    try:
        return _config(read(content.decode("utf-8")), Path(path).parent)
    except UnicodeDecodeError:
        raise WebConfigError(f"{path}: is not UTF-8") from None
    except NotPlain as error:
        raise WebConfigError(f"{path}: {error}") from None


def _config(whole: Node, folder: Path) -> WebConfig:
    known = ("tls_server_config", "http_server_config", "rate_limit", "basic_auth_users")
    parts = keys_of(whole, known)
    tls = parts.get("tls_server_config")
    return WebConfig(
        tls=None if tls is None or tls.value is None else _tls(tls, folder),
        headers=_headers(parts.get("http_server_config")),
        users=_users(parts.get("basic_auth_users")),
        rate=_rate(parts.get("rate_limit")),
    )


def _tls(node: Node, folder: Path) -> Tls:
    given = keys_of(node, Tls._fields)
    texts = {
        name: text_of(given[name])
        for name in ("client_auth_type", "min_version", "max_version")
        if name in given
    }
    lists = {
        name: texts_of(given[name])
        for name in ("client_allowed_sans", "cipher_suites", "curve_preferences")
        if name in given
    }
    files = {
        name: file_of(given, name, folder) for name in ("cert_file", "key_file", "client_ca_file")
    }
    tls = Tls(
        files["cert_file"],
        files["key_file"],
        files["client_ca_file"],
        prefer_server_cipher_suites=truth_of(given.get("prefer_server_cipher_suites"), True),
        **texts,  # type: ignore[arg-type]
        **lists,  # type: ignore[arg-type]
    )
    reason = _misfit(tls)
    if reason:
        raise NotPlain(node.line, f"tls_server_config: {reason}")
    return tls


def _misfit(tls: Tls) -> str:
    """Return why the settings do not go together; empty if they do."""
    for name in ("cert_file", "key_file"):
        if not getattr(tls, name):
            return f"missing {name}"
    if tls.client_auth_type not in CLIENT_AUTHS:
        return f"client_auth_type is one of {', '.join(filter(None, CLIENT_AUTHS))}"
    for name in ("min_version", "max_version"):
        if getattr(tls, name) not in VERSIONS:
            return f"{name} is one of {', '.join(VERSIONS)}: an agent speaks no older TLS"
    if tls.min_version > tls.max_version:
        return f"min_version {tls.min_version} is above max_version"
    if tls.client_ca_file and tls.client_auth_type in ("", "NoClientCert"):
        return "client_ca_file needs client_auth_type"
    if tls.client_allowed_sans and not CLIENT_AUTHS[tls.client_auth_type]:
        return "client_allowed_sans needs a client_auth_type that verifies"
    return ""


def _headers(node: Optional[Node]) -> Dict[str, str]:
    given = {} if node is None else keys_of(node, ("http2", "headers"))
    truth_of(given.get("http2"), True)  # HTTP/1.1 is spoken here, whatever it says
    headers = given.get("headers")
    found: Dict[str, str] = {}
    for name, value in ({} if headers is None else keys_of(headers, tuple(_HEADERS))).items():
        text = text_of(value)
        if _HEADERS[name] and text not in _HEADERS[name]:
            raise NotPlain(value.line, f"{name} is one of {', '.join(_HEADERS[name])}")
        if not text.isprintable() or not _is_latin(text):
            raise NotPlain(value.line, f"{name} has characters that no header may have")
        found[name] = text
    return found


def _is_latin(text: str) -> bool:
    return all(ord(char) < 256 for char in text)


def _users(node: Optional[Node]) -> Dict[str, str]:
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise NotPlain(node.line, "basic_auth_users is a mapping of names to hashes")
    for name, value in node.value.items():
        if not isinstance(value.value, str) or not BCRYPT_HASH.fullmatch(value.value):
            told = f"the password of {name!r} is not a bcrypt hash"
            raise NotPlain(value.line, told)
    return {name: str(value.value) for name, value in node.value.items()}


def _rate(node: Optional[Node]) -> Optional[Rate]:
    given = {} if node is None else keys_of(node, ("interval", "burst"))
    interval, burst = given.get("interval"), given.get("burst")
    if interval is None or interval.value == 0:
        return None
    written = interval.value
    if not isinstance(written, str) or not _DURATION.fullmatch(written):
        raise NotPlain(interval.line, "write a duration such as 1s, 500ms or 1m30s")
    number = 0 if burst is None else burst.value
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise NotPlain(interval.line, "rate_limit: burst says how many may come at once")
    parts = re.findall(r"([0-9]+)([a-z]+)", written)
    return Rate(sum(int(count) * _UNITS[unit] for count, unit in parts) or 1e-9, number)
