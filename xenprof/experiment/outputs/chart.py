"""Draws findings as an SVG picture that reads on light and on dark ground."""

import io
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from xenprof.experiment.findings import Cell, Findings
from xenprof.experiment.outputs.compact import compact
from xenprof.experiment.words import mean, spread, titled, verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK: Final = "#010203"  # stands for the colour of the text around the picture
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
_HATCHES: Final = ("", "//", "\\\\", "--", "xx", "||", "++")
_DASHES: Final = ("-", "--", ":")
"""Colours that people with any eyes tell apart (Okabe and Ito), patterns and dashes beside them."""

_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "xenprof",
    "font.family": ["sans-serif"],
    "font.size": 9,
    "text.parse_math": False,  # names are what people write
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlesize": 10,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "hatch.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_WIDTH_INCHES: Final = 8.0
_PANEL_INCHES: Final = 2.6
_STANDALONE: Final = (
    "<style>svg{color:#1a1a1a;background:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6e6e6;background:#16181c}}</style>"
)


def as_svg(found: Findings) -> str:
    """Return the picture: a panel for each result, the same bytes for the same findings."""
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    os.environ.pop("MPLBACKEND", None)  # which is for windows, and ends the import if it is unknown
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    results = found.experiment.results
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that a font has not: the reader's may
        matplotlib.rcdefaults()  # a user's matplotlibrc has no say
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(_WIDTH_INCHES, 0.5 + _PANEL_INCHES * len(results)))
        FigureCanvasSVG(figure)
        panels = figure.subplots(len(results), 1, squeeze=False)[:, 0]
        numbers: dict[str, int] = {}  # of series, which look the same in all panels
        for number, panel in enumerate(panels):
            _panel(panel, found, number, numbers)
        figure.tight_layout()
        text = io.StringIO()
        figure.savefig(
            text, format="svg", transparent=True,
            metadata={"Date": None, "Creator": None},
        )  # fmt: skip
    return _finished(text.getvalue(), found)


def _panel(panel: "Axes", found: Findings, number: int, numbers: dict[str, int]) -> None:
    lines = found.experiment.chart == "lines" or found.experiment.pieces > 1
    panel.set_title(titled(found.experiment.results[number]), loc="left")
    groups, series = _arranged(found, number)
    if not series:
        return  # nothing was there to be measured
    for name in series:
        numbers.setdefault(name, len(numbers))
    if lines:
        _lines(panel, groups, series, numbers)
    else:
        _bars(panel, groups, series, numbers)
    axis = _along(found)
    if axis:
        panel.set_xlabel(axis)
    panel.grid(axis="y", color=_INK, alpha=0.15, linewidth=0.6)
    panel.set_axisbelow(True)
    if len(series) > 1:
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _along(found: Findings) -> str:
    """Return the name of the axis along which a panel goes: time, else the first."""
    heads = found.heads
    return "" if not heads else heads[-1] if found.experiment.pieces > 1 else heads[0]


def _arranged(found: Findings, number: int) -> tuple[list[str], Mapping[str, Mapping[str, Cell]]]:
    """Return the values along a panel, and for each series the cell at each of them."""
    at = -1 if found.experiment.pieces > 1 else 0
    groups: list[str] = []
    series: dict[str, dict[str, Cell]] = {}
    for row in found.rows:
        if row.cells[number].mean is None:
            continue
        names = list(found.names(row)) or [found.experiment.name]
        group = names.pop(at)
        if group not in groups:
            groups.append(group)
        series.setdefault(", ".join(names), {})[group] = row.cells[number]
    return groups, series


def _bars(
    panel: "Axes",
    groups: Sequence[str],
    series: Mapping[str, Mapping[str, Cell]],
    numbers: Mapping[str, int],
) -> None:
    width = 0.8 / max(1, len(series))
    for at, (name, cells) in enumerate(series.items()):
        number = numbers[name]
        for place, cell in ((groups.index(group), cell) for group, cell in cells.items()):
            x = place - 0.4 + width * (at + 0.5)
            is_first = cell is next(iter(cells.values()))
            panel.bar(
                x, cell.mean or 0.0, width * 0.92, label=name if is_first else None,
                color=_COLOURS[number % len(_COLOURS)], edgecolor=_INK, linewidth=0.4,
                hatch=_HATCHES[(number + number // len(_COLOURS)) % len(_HATCHES)],
                yerr=[[below] for below in _error(cell)] if " to " in spread(cell) else None,
                ecolor=_INK, capsize=2,
            )  # fmt: skip
            if len(groups) * len(series) <= 16:
                panel.annotate(
                    mean(cell), (x, max((cell.spread or (0, 0))[1], 0)), ha="center", va="bottom",
                    fontsize=7, xytext=(0, 2), textcoords="offset points",
                )  # fmt: skip
    panel.set_xticks(range(len(groups)), groups)
    panel.set_xlim(-0.5, len(groups) - 0.5)
    if len(groups) > 6 or max(map(len, groups)) > 14:
        panel.tick_params(axis="x", labelrotation=20)
    panel.margins(y=0.15)


def _lines(
    panel: "Axes",
    groups: Sequence[str],
    series: Mapping[str, Mapping[str, Cell]],
    numbers: Mapping[str, int],
) -> None:
    places = _numbers(groups)
    for name, cells in series.items():
        number = numbers[name]
        there = [
            (x, cell)
            for x, group in zip(places, groups, strict=True)
            if (cell := cells.get(group)) is not None
        ]
        colour = _COLOURS[number % len(_COLOURS)]
        panel.plot(
            [x for x, _ in there],
            [cell.mean or 0.0 for _, cell in there],
            label=name, color=colour, marker="osD^v*x"[number % 7], markersize=4, linewidth=1.4,
            linestyle=_DASHES[number // len(_COLOURS) % len(_DASHES)],
        )  # fmt: skip
        for x, cell in there:
            if " to " in spread(cell):
                panel.errorbar(
                    x, cell.mean or 0.0, yerr=[[below] for below in _error(cell)],
                    color=colour, linewidth=1.4, capsize=2,
                )  # fmt: skip
    if places[0] > 0 and places[-1] / places[0] > 20:
        panel.set_xscale("log", base=2)
        panel.minorticks_off()
    panel.set_xticks(places, groups)
    panel.set_ylim(bottom=min(0, panel.get_ylim()[0]))


def _numbers(groups: Sequence[str]) -> list[float]:
    try:
        return [float(group) for group in groups]
    except ValueError:
        return [float(number) for number in range(len(groups))]


def _error(cell: Cell) -> tuple[float, float]:
    low, high = cell.spread or (0.0, 0.0)
    middle = cell.mean or 0.0
    return max(0.0, middle - low), max(0.0, high - middle)


def _finished(svg: str, found: Findings) -> str:
    """Return a picture with a title, a description and the colour of its surroundings."""
    svg, rules = compact(svg)
    start = svg.index("<svg ")
    end = svg.index(">", start)
    head = svg[start:end]
    texts = found.experiment.texts
    told = " ".join((texts.shows, *verdicts(found))).strip() or texts.title
    return (
        f'{head} role="img" aria-labelledby="chart-title chart-desc">\n'
        f'<title id="chart-title">{escape(texts.title)}</title>\n'
        f'<desc id="chart-desc">{escape(told)}</desc>\n<style>{rules}</style>{_STANDALONE}'
        + svg[end + 1 :]
    ).replace(_INK, "currentColor")


def inside_a_page(svg: str) -> str:
    """Return a picture for the inside of a page, which has colours of its own."""
    return svg.replace(_STANDALONE, "")
