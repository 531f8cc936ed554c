"""What a program has on its screen: title, columns, keys and panels."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rich.style import Style

from hypervisor.telemetry import HostSnapshot
from xenprof.xentop.forms import XENPROF, Form, xentop_form
from xenprof.xentop.heat import heatmap
from xenprof.xentop.provenance import provenance
from xenprof.xentop.span import Span
from xenprof.xentop.table import Line
from xenprof.xentop.view import View
from xenprof.xentop.widgets import ON, ON_IN_GREY, Key

Panel = Callable[[Span, int], Iterator[Line]]
"""Returns the lines that are shown in place of the table, for a width in cells."""


@dataclass(frozen=True, slots=True)
class Face:
    """The look of a screen. `panels` are by the names of what keys switch; others are a View's."""

    title: Callable[[HostSnapshot], str]
    form: Form
    keys: tuple[Key, ...]
    on: Style
    panels: Mapping[str, Panel] = field(default_factory=dict)


_KEYS: tuple[Key, ...] = (
    ("", "D", "elay", ""),
    ("", "N", "etworks", "networks"),
    ("v", "B", "ds", "vbds"),
    ("", "V", "CPUs", "vcpus"),
)


def xentop_face(host: HostSnapshot, view: View) -> Face:
    """Return the face of the xentop that came with a host's Xen."""
    return Face(
        lambda now: "xentop",
        xentop_form(host, view),
        (
            *_KEYS,
            ("", "R", "epeat header", "repeats_head"),
            ("", "S", "ort order", ""),
            ("", "Q", "uit", ""),
            ("", "Arrows", " scroll", ""),
        ),
        ON,
    )


XENPROF_TOP = Face(
    lambda now: f"xenprof top {now.host}",
    XENPROF,
    (
        *_KEYS,
        ("", "R", "epeat", "repeats_head"),
        ("", "S", "ort", ""),
        ("", "P", "cpus", "pcpus"),
        ("", "I", "nfo", "sources"),
        ("", "Q", "uit", ""),
    ),
    ON_IN_GREY,
    {"pcpus": heatmap, "sources": provenance},
)
