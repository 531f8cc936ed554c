"""Reads the JSON of an agent as a HostReport: strictly and within bounds, as it may be hostile.

The types are those that the records declare. Fields that a record does not have are left out, so
that a newer agent is understood; a report of another FORMAT is refused. A number beyond its bounds
is unknown where a number may be; those that tell rows apart, tell the time or count waits may not,
and cost the whole report.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import NoneType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from hypervisor.domain0 import DOMAIN_0_ID
from hypervisor.errors import HostError
from hypervisor.live.agent.report.bounds import LARGEST, largest
from hypervisor.live.agent.report.fields import FORMAT, HostReport

MOST_BYTES: Final = 32 << 20
"""Of a report; one of 1000 domains with 16 vcpus each, on 256 pcpus, takes 18 MiB; judgement."""
_MOST_VALUES = 1 << 23
"""Of a report; the same one has 4.4 million, most of them pcpus that a vcpu may use."""
MOST_CHARACTERS: Final = 4096  # of a text, as xenstore's values have at most
MOST_ROWS: Final = 32768
"""Of a list, and of a host in all: its pcpus, domains, vcpus and devices, each of which has some
dozen series. 1000 domains with 16 vcpus and three devices each have 20 000; judgement."""
_SHOWN = 200  # characters of an error that an agent has a part in
_HALVES = re.compile(
    rb"(?<!\\)((?:\\\\)*+)"  # backslashes that escape each other
    rb"(?:(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|(\\)(u[dD][89a-fA-F]..))"
)
"""Finds a surrogate pair in JSON, or a half of one that is alone: its backslash and the rest."""


class BadReport(HostError):
    """Says that what an agent sent is no report; the message names the place."""


def read_report(body: bytes) -> HostReport:
    """Return the report in a JSON object. Raises: BadReport."""
    if len(body) > MOST_BYTES:
        raise BadReport(f"a report is at most {MOST_BYTES >> 20} MiB")
    # Before they are made: a byte or two may be a value that takes 32 in memory.
    if sum(map(body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise BadReport(f"a report has at most {_MOST_VALUES} values")
    try:
        report = _validated(body)
    except ValidationError as error:
        raise BadReport(_told(error)) from None
    if report.format != FORMAT:
        raise BadReport(f"a report of format {report.format}: this service reads {FORMAT}")
    _check_size(report)
    _check_distinct(report)
    if all(domain.domid != DOMAIN_0_ID for domain in report.domains):
        raise BadReport("domains: domain 0 is missing, and no host is without it")
    return report


def _validated(body: bytes) -> HostReport:
    r"""Return the report, in which half a surrogate pair, which Rust refuses, is the text `\udc80`.

    Raises: ValidationError.
    """
    try:
        return cast(HostReport, _VALIDATOR.validate_json(body))
    except ValidationError:
        if rb"\ud" not in body and rb"\uD" not in body:
            raise
    return cast(HostReport, _VALIDATOR.validate_json(_HALVES.sub(rb"\1\2\3\3\4", body)))


def _told(error: ValidationError) -> str:
    """Return the first fault in one line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in fault["loc"])
    told = f"{place.lstrip('.') or 'the report'}: {fault['msg']}"[:_SHOWN]
    return told.encode("unicode_escape").decode()


def _check_size(report: HostReport) -> None:
    """Check that the host has not so many rows that they would keep others from being shown."""
    parts = sum(
        len(one.vcpus) + len(one.vifs or ()) + len(one.vbds or ()) for one in report.domains
    )
    rows = len(report.pcpus) + len(report.domains) + parts
    if rows > MOST_ROWS:
        raise BadReport(f"{rows} pcpus, domains, vcpus and devices: a host has at most {MOST_ROWS}")


def _check_distinct(report: HostReport) -> None:
    """Check that what has a number has it alone, as series are told apart by it."""
    _distinct("domains", (one.domid for one in report.domains))
    _distinct("pcpus", (one.pcpu for one in report.pcpus))
    for domain in report.domains:
        where = f"domain {domain.domid}: "
        _distinct(f"{where}vcpus", (one.vcpu for one in domain.vcpus))
        _distinct(f"{where}vifs", (one.vif for one in domain.vifs or ()))
        _distinct(f"{where}vbds", (one.device for one in domain.vbds or ()))


def _distinct(what: str, numbers: Iterable[int]) -> None:
    found = list(numbers)
    if len(set(found)) != len(found):
        raise BadReport(f"{what}: a number comes twice")


def _schema(kind: Any, most: int = LARGEST) -> CoreSchema:
    """Return how a value of a type is read."""
    if kind is bool:
        return core_schema.bool_schema(strict=True)
    if kind is int:
        return core_schema.int_schema(strict=True, ge=0, le=most)
    if kind is str:
        return core_schema.str_schema(strict=True, max_length=MOST_CHARACTERS)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Union:  # Optional
        (inner,) = (one for one in arguments if one is not NoneType)
        read = _schema(inner, most)
        return core_schema.nullable_schema(_number_or_none(read) if inner is int else read)
    if origin is Sequence:
        rows = core_schema.list_schema(
            _schema(arguments[0], most), max_length=MOST_ROWS, fail_fast=True
        )
        return core_schema.no_info_after_validator_function(tuple, rows)
    if origin is Mapping:
        key, value = map(_schema, arguments)
        return core_schema.dict_schema(key, value, max_length=MOST_ROWS)
    return _record(kind)


def _number_or_none(within: CoreSchema) -> CoreSchema:
    """Return how a number is read that may be unknown: one beyond its bounds costs itself alone."""
    beyond = core_schema.no_info_after_validator_function(
        lambda _: None, core_schema.int_schema(strict=True)
    )
    return core_schema.union_schema(
        [within, beyond], mode="left_to_right", custom_error_type="int_type"
    )


def _record(kind: Any) -> CoreSchema:
    hints, defaults = get_type_hints(kind), kind._field_defaults
    fields = {
        name: core_schema.typed_dict_field(
            _schema(hints[name], largest(name)), required=name not in defaults
        )
        for name in kind._fields
    }
    record = core_schema.typed_dict_schema(fields, extra_behavior="ignore")
    return core_schema.no_info_after_validator_function(partial(_made, kind), record)


def _made(kind: Any, values: dict[str, object]) -> Any:
    return kind(**values)


_VALIDATOR: Final = SchemaValidator(_schema(HostReport))
