"""Turns the JSON arguments of a command into its request record."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TypeVar

from xenprof.errors import XenprofError
from xenprof.wire.codec import Malformed, Missing, Unknown, decode
from xenprof.wire.requests import Request

R = TypeVar("R", bound=Request)
Arguments = Mapping[str, object]
"""A JSON object as it was received."""


class BadArguments(XenprofError):
    """Says that arguments of a command, or a line of a command file, cannot be used."""


def request_of(kind: type[R], arguments: Arguments, command: str = "") -> R:
    """Return the request record with the arguments of a command.

    Raises: BadArguments for one that is unknown, missing or of another type. A required text that
    is empty counts as missing.
    """
    command = command or kind.command
    try:
        request = decode(kind, dict(arguments), is_strict=True)
        required = [one.name for one in fields(kind) if one.type is str and one.default is MISSING]
        for name in required:
            if not getattr(request, name):
                raise Missing(f"{name!r} is missing")
    except Unknown as error:
        if error.place not in arguments:  # it is further down
            raise BadArguments(f"{command}: {error}") from None
        said = f"unknown argument {error.place!r} (it takes: {error.takes})"
        raise BadArguments(f"{command}: {said}") from None
    except Missing as error:
        raise BadArguments(f"{command}: the argument {error}") from None
    except Malformed as error:
        raise BadArguments(f"{command}: {error}") from None
    return request
