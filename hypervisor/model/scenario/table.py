"""The base of all tables of a scenario file: strict types, and readable errors."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from hypervisor.errors import HostError
from hypervisor.nearest import hint

_Value = TypeVar("_Value")


class Table(BaseModel):
    """A table of the file: frozen and strictly typed; unknown keys are refused by name."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        for key in data if isinstance(data, Mapping) else ():
            if key not in allowed:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key '{key}'{hint}; allowed: {allowed}",
                    {"key": key, "hint": hint(str(key), allowed), "allowed": ", ".join(allowed)},
                )
        return data


def checked(parse: Callable[[str], _Value], text: str) -> _Value:
    """Return parse(text), with a HostError turned into an error that pydantic reports by key."""
    try:
        return parse(text)
    except HostError as error:
        raise PydanticCustomError("refused", "{what}", {"what": str(error)}) from None


def message(source: str, error: ValidationError, data: object) -> str:
    """Return one line about the first error: source, key, fault, and what is allowed."""
    first = error.errors(include_url=False)[0]
    key = _key(first["loc"], data)
    if first["type"].startswith("union_tag"):
        key += ".kind"
    return f"{source}: {key}: {_what(first)}" if key else f"{source}: {_what(first)}"


def _what(error: ErrorDetails) -> str:
    context, given = error.get("ctx", {}), error["input"]
    match error["type"]:
        case "missing" | "union_tag_not_found":
            return "missing"
        case "literal_error" | "union_tag_invalid":
            allowed = str(context.get("expected", context.get("expected_tags")))
            given = context.get("tag", given)
            near = hint(str(given), allowed.replace(" or ", ", ").replace("'", "").split(", "))
            return f"{given!r} is not allowed; use {allowed}{near}"
        case "string_pattern_mismatch":
            return f"{given!r} is not allowed; it must match {context.get('pattern')}"
        case "unknown_key" | "refused" | "value_error":
            return error["msg"].removeprefix("Value error, ")
    wish = error["msg"].replace("Input should be", "must be").replace("tuple", "list")
    return f"{given!r} {wish}" if isinstance(given, str | int | float) else wish


def _key(location: tuple[int | str, ...], data: object) -> str:
    """Return the path of a key as the file's author knows it: `domain[web].workload[1].kind`."""
    key = ""
    for step in location:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list | tuple) else None
            name = data.get("name") if isinstance(data, Mapping) else None
            key += f"[{name if isinstance(name, str) else step}]"
        elif isinstance(data, Mapping) and data.get("kind") == step:
            continue  # pydantic's name for the member of a union
        else:
            data = data.get(step) if isinstance(data, Mapping) else None
            key += f".{step}" if key else step
    return key
