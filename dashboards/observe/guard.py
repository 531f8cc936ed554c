"""Guards Alertmanager's page, which shows its whole configuration, and what that says of webhooks.

Its users are those of the web configuration, and Prometheus. It has no TLS: it listens on the
loopback interface alone. Prometheus' page has the same users, so that we too may ask it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

import bcrypt
import yaml

from dashboards.observe.settings import CannotObserve

_LEAST_COST = 4  # nobody guesses 256 random bits, however fast
_FILES = ("cert_file", "key_file", "client_ca_file")
_PROMETHEUS = "prometheus-beside-xenprof"


@dataclass(frozen=True, slots=True)
class Guard:
    """The users of Alertmanager: bcrypt hashes by name; `user` and `password` are Prometheus'."""

    users: Mapping[str, str]
    user: str
    password: str

    @classmethod
    def of(cls, users: Mapping[str, str]) -> Self:
        """Add Prometheus, with a password that is new each time."""
        password = secrets.token_urlsafe(32)
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_LEAST_COST)).decode()
        return cls({**users, _PROMETHEUS: hashed}, _PROMETHEUS, password)

    def web_config(self, path: Path) -> str:
        """Return the text of a web configuration with these users, to be put anywhere."""
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        tree["basic_auth_users"] = dict(self.users)
        tls = tree.get("tls_server_config") or {}
        tls |= {name: str(path.absolute().parent / tls[name]) for name in _FILES if tls.get(name)}
        return yaml.safe_dump(tree, sort_keys=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL without user and password, and these; Alertmanager shows the URL alone."""

    url: str
    user: str | None
    password: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take user and password out of a URL."""
        parts = urlsplit(text)
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        user = None if parts.username is None else unquote(parts.username)
        return cls(url, user, unquote(parts.password or ""))

    def check_shown(self) -> None:
        """Check that a page that everybody reads shows no token of it. Raises: CannotObserve."""
        parts = urlsplit(self.url)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise CannotObserve(
                "everybody on this machine could read on Alertmanager's page what stands behind "
                "the host in the webhook's URL; give a web configuration with basic_auth_users "
                "(OBSERVE_WEB_CONFIG=FILE), or install Alertmanager 0.26 or later, which hides it"
            )

    def hide(self, text: str) -> str:
        """Return a text without the URL."""
        return text.replace(self.url, "(the webhook)")
