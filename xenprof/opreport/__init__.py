"""Makes opreport's reports: from a Profile to lines of text, one layout per file."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from xenprof.opreport.request import Request

FORMATS = {
    "xml": "xenprof.opreport.layout_xml",
    "callgraph": "xenprof.opreport.layout_callgraph",
    "symbols": "xenprof.opreport.layout_symbols",
    "summary": "xenprof.opreport.layout_summary",
}


def load(name: str) -> "Callable[[Request], Iterable[str]]":
    """Return the function that renders the format `name`; only its modules are imported."""
    render = import_module(FORMATS[name]).render
    return cast("Callable[[Request], Iterable[str]]", render)
