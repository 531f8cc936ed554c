"""The parts of xentop's screen: lines of text, the table that scrolls, and the line of keys.

Attributes as in the original: reverse video, bold, and a yellow ground for what is on.
"""

from collections.abc import Callable, Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from xenprof.xentop.names import width
from xenprof.xentop.table import Kind, Line
from xenprof.xentop.view import View

_PLAIN = Style()
_BOLD = Style(bold=True)
_REVERSE = Style(reverse=True)
ON = Style(color="black", bgcolor="yellow")
_NAME = 0  # the column that stays when the table moves sideways
_ALWAYS_SHOWN = 2  # NAME and one more column

# What also stands out without colours, and digits for heat.
ON_IN_GREY = ON + Style(underline=True)
_WARM, _HOT = Style(color="yellow"), Style(color="red", bold=True, reverse=True)

Key = tuple[str, str, str, str]
"""What stands before a key, the key, what follows, and the name of what it switches or ""."""

_IN_COLUMNS = (Kind.HEAD, Kind.DOMAIN)


class TextLines(Widget):
    """Lines that are cut at the right edge."""

    DEFAULT_CSS = "TextLines { height: auto; }"

    def __init__(self, height: int) -> None:
        """Take `height` lines of the screen."""
        super().__init__()
        self.styles.height = height
        self._strips: list[Strip] = []

    def show(self, lines: Iterable[Iterable[Segment]]) -> None:
        """Replace what is shown."""
        self._strips = [Strip(line) for line in lines]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line at `y`, as Textual asks for it."""
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(0)
        return strip.adjust_cell_length(self.size.width)


class DomainTable(Widget):
    """The table; what does not fit is reached by `move`.

    The head stays at the top unless it is repeated before each domain; NAME stays at the left.
    """

    DEFAULT_CSS = "DomainTable { height: 1fr; }"

    def __init__(self) -> None:
        """Start with nothing to show."""
        super().__init__()
        self._heads: tuple[str, ...] = ()  # of the columns
        self._head: list[Line] = []
        self._body: list[Line] = []
        self._sort = 0
        self._above = 0  # lines of the body that are scrolled away
        self._hidden = 0  # columns after NAME that are scrolled away

    def show(self, lines: Sequence[Line], view: View) -> None:
        """Replace what is shown, and keep the scroll position."""
        fixed = 0 if view.repeats_head else 1
        self._heads = lines[0].cells if lines else ()
        self._head, self._body = list(lines[:fixed]), list(lines[fixed:])
        if view.sort != self._sort:
            self._sort = view.sort
            self._reveal(view.sort)
        self._settle()

    def move(self, *, lines: int = 0, pages: int = 0, columns: int = 0) -> None:
        """Scroll down and to the right, or back if negative."""
        self._above += lines + pages * max(1, self._room)
        self._hidden += columns
        self._settle()

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self._settle()

    def render_line(self, y: int) -> Strip:
        """Return the line at `y`, as Textual asks for it."""
        shown = self._head + self._body[self._above :]
        segments = self._segments(shown[y]) if y < len(shown) else ()
        return Strip(segments).adjust_cell_length(self.size.width)

    @property
    def _room(self) -> int:
        return self.size.height - len(self._head)

    def _settle(self) -> None:
        """Keep the scroll position within the table."""
        self._above = max(0, min(self._above, len(self._body) - self._room))
        self._hidden = max(0, min(self._hidden, self._most_hidden()))
        self.refresh()

    def _reveal(self, number: int) -> None:
        """Scroll sideways until a column's head is on the screen."""
        self._hidden = min(self._hidden, max(0, number - 1))
        while self._hidden < number - 1 and self._end(number) > self.size.width:
            self._hidden += 1

    def _end(self, number: int) -> int:
        shown = self._heads[:1] + self._heads[1 + self._hidden : number + 1]
        return len(" ".join(shown))

    def _most_hidden(self) -> int:
        """Return how many columns must be scrolled away until the last one shows."""
        hidden = 0
        most = len(self._heads) - _ALWAYS_SHOWN
        while hidden < most and self._width(hidden) > self.size.width:
            hidden += 1
        return hidden

    def _width(self, hidden: int) -> int:
        """Return the width of the widest row without `hidden` columns."""
        rows = (line for line in self._head + self._body if line.kind in _IN_COLUMNS)
        return max((width(" ".join(_kept(line, hidden))) for line in rows), default=0)

    def _segments(self, line: Line) -> list[Segment]:
        if line.kind is Kind.DETAIL:
            return [Segment(self._detail(line.text), _PLAIN)]
        if line.kind is Kind.HEAT:
            return _heat(line)
        base = _REVERSE if line.kind is Kind.HEAD else _PLAIN
        segments: list[Segment] = []
        for number, cell in enumerate(line.cells):
            if number == _NAME or number > self._hidden:
                if segments:
                    segments.append(Segment(" ", base))
                segments.append(Segment(cell, base + _BOLD if number == self._sort else base))
        return segments

    def _detail(self, text: str) -> str:
        """Return a detail line moved as far as the columns, but not beyond its own end."""
        gone = sum(len(cell) + 1 for cell in self._heads[1 : 1 + self._hidden])
        return text[max(0, min(gone, len(text) - self.size.width)) :]


def _kept(line: Line, hidden: int) -> tuple[str, ...]:
    return line.cells[:1] + line.cells[1 + hidden :]


def plain(text: str) -> list[Segment]:
    """Return a line without attributes."""
    return [Segment(text, _PLAIN)]


def warning(text: str) -> list[Segment]:
    """Return a line that catches the eye."""
    return [Segment(text, ON)]


def prompt(question: str, typed: str) -> list[Segment]:
    """Return the bottom line of the prompt, with a cursor."""
    return [Segment(f"  {question}: {typed}", _PLAIN), Segment(" ", _REVERSE)]


def key_help(keys: Iterable[Key], is_on: Callable[[str], bool], on: Style) -> list[Segment]:
    """Return the bottom line: what the keys do, and which of it is on."""
    segments = []
    for before, key, after, switch in keys:
        style = on if is_on(switch) else _PLAIN
        segments += [
            Segment("  ", _PLAIN),
            Segment(before, style),
            Segment(key, _REVERSE),
            Segment(after, style),
        ]
    return segments


def _heat(line: Line) -> list[Segment]:
    """Return a line of the heatmap: digits from 5 on are warm, those from 8 on hot."""
    label, *groups = line.cells
    segments = [Segment(label, _PLAIN)]
    for letters in (" ", *" ".join(groups)):
        heat = int(letters) if letters.isdigit() else 0
        segments.append(Segment(letters, _HOT if heat >= 8 else _WARM if heat >= 5 else _PLAIN))
    return segments
