"""Writes stack profiles (and traces) for people and for other tools, one format per file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from xenprof.report.formats.request import Request


@dataclass(frozen=True, slots=True)
class Format:
    """The abilities of a format; its module has `render(request)`.

    `tells`: it has a place for notes, as on lost samples; else they go to standard error.
    `shows`: `tables` follow --by, --tree and the number of rows, `stacks` have
    everything, `trace` is made from a recorded trace. `events`: of several events it shows `all`,
    or `one`.
    """

    module: str
    help: str
    shows: Literal["tables", "stacks", "trace"] = "stacks"
    events: Literal["all", "one"] = "all"
    is_binary: bool = False
    can_compare: bool = False
    tells: bool = True


FORMATS = {
    "text": Format("text", "tables for people", "tables", can_compare=True),
    "json": Format("json_rows", "the same tables for programs", "tables", can_compare=True),
    "csv": Format(
        "csv_rows", "the same tables for spreadsheets", "tables", can_compare=True, tells=False
    ),
    "pprof": Format("pprof", "profile.proto, gzipped: pprof, Pyroscope, Parca", is_binary=True),
    "folded": Format(
        "folded", "`a;b;c N`: flamegraph.pl, inferno", events="one", can_compare=True, tells=False
    ),
    "speedscope": Format("speedscope", "the file format of speedscope"),
    "flamegraph.html": Format(
        "flamegraph_html", "a page with search and zoom", events="one", can_compare=True
    ),
    "flamegraph.svg": Format(
        "flamegraph_svg", "the same as a picture", events="one", can_compare=True
    ),
    "perfetto": Format("perfetto", "vcpus on pcpus over time, of --trace", "trace"),
    "otlp": Format("otlp", "OTLP profiles (v1development), protobuf", is_binary=True),
    "otlp.json": Format("otlp_json", "OTLP profiles (v1development), JSON"),
}
"""Name -> module below xenprof.report.formats, and the help text."""


def load(name: str) -> "Callable[[Request], Iterable[bytes]]":
    """Return the function that renders the format `name`; only its modules are imported."""
    module = import_module(f"xenprof.report.formats.{FORMATS[name].module}")
    render = cast("Callable[[Request], Iterable[bytes]]", module.render)
    return lambda request: render(request.spelled())
