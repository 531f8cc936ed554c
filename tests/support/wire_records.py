"""The records that programs and the service exchange, and strategies for their values."""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from hypervisor import devicerows, domainsettings, telemetry
from xenprof.wire import (
    answers,
    devices,
    domain_requests,
    failure,
    history,
    host_requests,
    opcontrol,
    trace,
)
from xenprof.wire.requests import Request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for any value of a field's type."""
    if kind is object:
        return JSON
    if kind is float:
        return st.floats(allow_nan=False)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{f.name: values(hints[f.name]) for f in fields(kind)})
    members = get_args(kind)
    origin = get_origin(kind)
    if origin is tuple and members[-1] is Ellipsis:
        return st.lists(values(members[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, members))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=3), values(members[1]), max_size=2)
    if members and not isinstance(members[0], str | int):
        return st.one_of(*map(values, members))
    return st.from_type(kind)


def records(*modules: ModuleType) -> list[type[Any]]:
    """Return the record types that the modules define."""
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if kind.__module__ == module.__name__ and is_dataclass(kind)
    ]


ASKED: list[type[Request]] = [
    kind
    for kind in records(host_requests, domain_requests, trace, opcontrol)
    if issubclass(kind, Request) and hasattr(kind, "command")
]
TOLD = [
    kind
    for kind in records(
        *(telemetry, devicerows, domainsettings),
        *(answers, devices, failure, history, trace, opcontrol),
    )
    if not issubclass(kind, Request)
]
