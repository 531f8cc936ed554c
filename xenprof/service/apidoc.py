"""Describes the HTTP API as a document, from the routes of the application and the requests."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import getdoc
from typing import Any, get_args, get_origin

from starlette.applications import Starlette
from starlette.routing import Route

from xenprof.events import EventSetting
from xenprof.service.domain_api import DOMAIN_READS
from xenprof.wire import domain_requests, host_requests, opcontrol, trace
from xenprof.wire.requests import Request

_HEAD = """# The HTTP API

Written by `python -m xenprof.service.reference` from the routes of the service.

The same API is on the socket `HOME/control.sock`, for the user who runs the service and root, and
on TCP (`--web.listen-address`). Over TCP everybody reads, or every user of the web configuration
if there is one, and only its users change anything (403 otherwise). DOMAIN is a name or an id; a
slash in a name is written `%2F`. The body of a POST is a JSON object with the fields listed, at
most 1 MiB, of type `application/json`. An answer that is an error has a body
`{"error": {"type", "message"}}`, over the socket with the `exit_code` that programs end with:
400 for what cannot be understood, 404 for what does not exist, 405 for the other method, 409 for
what cannot be done now, 413 and 415 for bodies, 429 for too many, 501 for what this host does not
offer, 503 when the host does not run.

"""

_WORDS: Mapping[object, str] = {
    str: "text", int: "number", float: "number", bool: "true or false", object: "anything",
    type(None): "null",
}  # fmt: skip


def markdown(app: Starlette) -> str:
    """Return the whole document."""
    return _HEAD + "".join(f"{line}\n" for line in (*_read(app), *_changed(), *_records()))


def _read(app: Starlette) -> Iterator[str]:
    yield "## What can be read (GET)\n"
    yield "| path | answer |\n|---|---|"
    for route in app.routes:
        if isinstance(route, Route) and "GET" in (route.methods or ()) and "{" not in route.path:
            yield f"| `{route.path}` | {getdoc(route.endpoint)} |"
    for path, told in DOMAIN_READS.items():
        yield f"| `/api/v1/domains/DOMAIN/{path}` | {told} |"


def _changed() -> Iterator[str]:
    yield "\n## What can be done (POST)"
    for title, module in (
        ("The host", host_requests), ("A domain", domain_requests),
        ("Profiling in a domain", opcontrol), ("Trace rings", trace),
    ):  # fmt: skip
        yield f"\n### {title}\n\n| path | fields | what it does |\n|---|---|---|"
        for kind in requests_of(module.__name__):
            about = "READER" if kind.__module__ == trace.__name__ else "DOMAIN"
            told = " ".join((getdoc(kind) or "").split())
            yield f"| `{kind.url(about)}` | {'; '.join(map(_field, fields(kind)))} | {told} |"


def _records() -> Iterator[str]:
    yield "\n## Records in requests"
    for kind in (opcontrol.Setup, EventSetting):
        told = " ".join((getdoc(kind) or "").split())
        yield f"\n### {kind.__name__}\n\n{told}\n\n| field | value |\n|---|---|"
        yield from (f"| `{one.name}` | {_json(one.type)} |" for one in fields(kind))


def requests_of(module: str) -> list[type[Request]]:
    """Return the requests that a module declares, in its order."""
    found: dict[str, type[Request]] = {}  # a dataclass with slots replaces the class it is made of
    for kind in _below(Request):
        if kind.__module__ == module and hasattr(kind, "command"):
            found[kind.__name__] = kind
    names = list(vars(sys.modules[module]))
    return sorted(found.values(), key=lambda kind: names.index(kind.__name__))


def _below(kind: type[Request]) -> Iterator[type[Request]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _field(field: "Field[Any]") -> str:
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    return f"`{field.name}`: {_json(field.type)}{'' if has_default else ', required'}"


def _json(kind: Any) -> str:
    """Return what values of a type are called in JSON."""
    if kind in _WORDS:
        return _WORDS[kind]
    if is_dataclass(kind):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"  # type: ignore[union-attr]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return f"list of {_json(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"object of {_json(arguments[1])}"
    return " or ".join(dict.fromkeys(map(_json, arguments)))
