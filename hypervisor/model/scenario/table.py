"""The base of all tables of a scenario file: strict types, and readable errors."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from hypervisor.errors import HostError, ScenarioError
from hypervisor.nearest import hint

_Value = TypeVar("_Value")
_LARGEST = 2**63
_DEEP = re.compile(r"(?<![\w-])(?:[\w-]++ *+\. *+){100}", re.ASCII)  # a key of so many parts


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


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Return what stands in a file; `source` names it in messages. Raises: ScenarioError."""
    try:
        if _DEEP.search(text):
            raise RecursionError
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: not TOML: {error}") from None
    except ValueError:
        raise ScenarioError(f"{source}: not TOML: a number has too many digits") from None
    except RecursionError:
        raise ScenarioError(f"{source}: not TOML: nested too deep") from None
    for key, value in _values(data):
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise ScenarioError(f"{source}: {key}: the number is too large for TOML (64 bits)")
    return data


def _values(data: object) -> Iterator[tuple[str, object]]:
    """Yield every value with the name of its key."""
    rest: list[tuple[str, object]] = [("", data)]
    while rest:
        key, value = rest.pop()
        if isinstance(value, dict):
            rest += value.items()
        elif isinstance(value, list):
            rest += [(key, one) for one in value]
        else:
            yield key, value


def first_again(names: Iterable[str]) -> str:
    """Return the first name that stands twice; "" if all differ."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


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
