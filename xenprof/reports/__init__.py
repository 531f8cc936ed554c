"""Reports: Profile -> lines of text, one layout a file."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from xenprof.reports.request import Request

FORMATS = {
    "xml": "xenprof.reports.layout_xml",
    "callgraph": "xenprof.reports.layout_callgraph",
    "symbols": "xenprof.reports.layout_symbols",
    "summary": "xenprof.reports.layout_summary",
}


def load(name: str) -> "Callable[[Request], Iterable[str]]":
    """Return the function that renders the format `name`; only its modules are imported."""
    render = import_module(FORMATS[name]).render
    return cast("Callable[[Request], Iterable[str]]", render)
