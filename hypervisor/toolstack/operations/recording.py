"""Marks the methods of the toolstack that are operations, so that each call is recorded."""

from collections.abc import Callable
from functools import update_wrapper
from inspect import signature
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from hypervisor.errors import UnknownDomain
from hypervisor.toolstack.xendcontext import XendContext


class Part(Protocol):
    """A part of xend."""

    _context: XendContext


S = TypeVar("S", bound=Part)
P = ParamSpec("P")
R = TypeVar("R")
Method = Callable[Concatenate[S, P], R]


def recorded(kind: str) -> Callable[[Method[S, P, R]], Method[S, P, R]]:
    """Record every call of a method as an operation of this kind (see `OperationLog`).

    A parameter `domain`, the first one, says whose operation it is. Work that the call begins and
    leaves to go on by itself ends the operation (see `Operation.begin`).
    """

    def mark(method: Method[S, P, R]) -> Method[S, P, R]:
        has_domain = list(signature(method).parameters)[1:2] == ["domain"]

        def record(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            reference = (args[0] if args else kwargs.get("domain")) if has_domain else None
            domain, domid = _found(self._context, reference)
            with self._context.operations.asked(kind, domain, domid):
                return method(self, *args, **kwargs)

        update_wrapper(record, method)
        return record

    return mark


def _found(context: XendContext, reference: object) -> tuple[str | None, int | None]:
    """Return the name and the id of the domain that a caller means; an unknown one as typed."""
    if not isinstance(reference, str):
        return None, None
    try:
        info = context.find(reference)
    except UnknownDomain:
        return reference, None
    return info.name, info.domid
