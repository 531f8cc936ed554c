"""Keeps secrets out of what is told: of URLs, and of texts of receivers that may repeat them."""

from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
_SHORTEST = 4  # characters; less is no secret, and is found in every text


class Secrets:
    """What has been sent to a receiver and nobody else may see."""

    def __init__(self, url: str, headers: Iterable[str]) -> None:
        """`headers` are the values of headers, which may have a scheme: `Bearer token`."""
        parts = urlsplit(url)
        found = {*headers, parts.query, *(value for _, value in parse_qsl(parts.query))}
        if parts.username is not None:
            user, password = parts.username, parts.password or ""
            pair = f"{unquote(user)}:{unquote(password)}"
            found |= {password, unquote(password), pair, b64encode(pair.encode()).decode()}
        words = {text.split()[-1] for text in found if text.split()}
        # The longest first: one may be a part of another.
        self._texts = sorted({*found, *words}, key=lambda text: (-len(text), text))

    def hide(self, text: str) -> str:
        """Return a text without the secrets that it repeats."""
        for secret in self._texts:
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, HIDDEN)
        return text


def shown_url(text: str) -> str:
    """Return a URL, also a bad one, without user, password, query and fragment."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    if not (separator and _is_url(text)):  # where a password ends cannot be told
        rest = rest.rpartition("@")[2]
    rest = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def _is_url(text: str) -> bool:
    """Return whether a text has a host, and a port that is a number if it has one."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname)
