"""Checks options that are addresses on the web, or paths there.

A refusal of an address does not repeat it, as there may be a password in it.
"""

import re
from urllib.parse import urlsplit

import click

from xenprof.service.ownpaths import is_own

_NEVER_IN_URLS = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]|%(?![0-9A-Fa-f]{2})")
# Servers compare paths after decoding them, and clients take out dots: such paths are never found.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[\w.~!$&'()*+,;=:@-]+)*/?", re.ASCII)


def is_web_address(text: str) -> bool:
    """Return whether a text is a URL of http or https with a host, as programs can ask for it."""
    if _NEVER_IN_URLS.search(text):  # urlsplit would take some of these out
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # of brackets that are no address, and of ports that cannot be
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def web_address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return a URL as it is. Raises: BadParameter."""
    if value is not None and not is_web_address(value):
        raise click.BadParameter(
            "a URL must begin with http:// or https:// and a host, and have no spaces"
        )
    return value


def url_path(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return the path of a URL as it is. Raises: BadParameter."""
    if not value or not _PATH.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not the path of a URL, such as /metrics")
    return value


def telemetry_path(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Return a path that the service does not have yet. Raises: BadParameter."""
    if is_own(url_path(context, parameter, value)):
        raise click.BadParameter(f"{value!r} is taken: the service has something else there")
    return value
