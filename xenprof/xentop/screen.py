"""Shows a live screen, xentop's or that of `xenprof top`, and handles its keys.

Source: xentop.c (3.0.3), main, handle_key and top.
"""

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from xenprof.client import ServiceError
from xenprof.xentop.faces import Face
from xenprof.xentop.feed import Feed
from xenprof.xentop.names import safe
from xenprof.xentop.prompt import DELAY_PROMPT, DelayPrompt
from xenprof.xentop.recording import RecordingError
from xenprof.xentop.span import Span
from xenprof.xentop.table import Line, summary, table
from xenprof.xentop.view import View
from xenprof.xentop.widgets import DomainTable, TextLines, key_help, plain, prompt, warning

_MOVES: Mapping[str, Mapping[str, int]] = {
    "up": {"lines": -1},
    "down": {"lines": 1},
    "pageup": {"pages": -1},
    "pagedown": {"pages": 1},
    "left": {"columns": -1},
    "right": {"columns": 1},
}
_DOMAINS = ""
"""The name of the panel that is the table: no key has it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The delay between looks, in seconds of the user's clock, and their number (None = no end)."""

    delay_seconds: float
    iterations: int | None = None


class TopApp(App[None]):
    """Shows a host, or what was recorded of one, until Q, Esc or the last iteration.

    If the service is gone, the last data stay on the screen, and the service is asked again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    AUTO_FOCUS = None

    def __init__(self, face: Face, feed: Feed, first: Span, view: View, pace: Pace) -> None:
        """Begin with the look that the caller has got from the feed already."""
        super().__init__(ansi_color=True)
        self._face = face
        self._feed = feed
        self._span = first
        self._view = view
        self._form = face.form
        self._panel = _DOMAINS
        self._delay_seconds = pace.delay_seconds
        self._left = pace.iterations
        self._prompt = DelayPrompt()
        self._trouble: str | None = None  # why there is nothing new, until there is
        self._timer: Timer | None = None
        self._is_looking = False
        self._summary = TextLines(3)
        self._bodies = {panel: DomainTable() for panel in (_DOMAINS, *face.panels)}
        self._notice = TextLines(1)
        self._bottom = TextLines(1)

    def compose(self) -> ComposeResult:
        """Return the parts of the screen, top to bottom."""
        return iter((self._summary, *self._bodies.values(), self._notice, self._bottom))

    def on_mount(self) -> None:
        """Show the first look; percentages need a second one."""
        if not self.is_headless:
            # Otherwise the terminal would be left without echo and on the alternate screen.
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self._draw()
        self._count()

    def on_resize(self) -> None:
        """Draw everything for the new width."""
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """Handle a key; any key looks again."""
        self._prompt.complaint = None
        if self._prompt.entry is not None:
            self._delay_seconds = self._prompt.edit(event) or self._delay_seconds
        elif event.key == "escape" or (event.character or "").lower() == "q":
            self.exit()
            return
        elif not self._feed.press(event.key):
            self._command(event)
        self._draw()
        self._look(is_due=False)

    def _command(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if letter == "d":
            self._prompt.ask()
        elif letter == "s":
            self._view = replace(self._view, sort=(self._view.sort + 1) % len(self._form.columns))
        elif event.key in _MOVES:
            self._bodies[self._panel].move(**_MOVES[event.key])
        for _, key, _, name in self._face.keys:
            if name and letter == key.lower():
                self._switch(name)

    def _switch(self, name: str) -> None:
        if name in self._face.panels:
            self._panel = _DOMAINS if self._panel == name else name
        else:
            self._view = replace(self._view, **{name: not getattr(self._view, name)})

    def _look(self, *, is_due: bool) -> None:
        """Ask the feed, unless that is in progress."""
        if not self._is_looking:
            self._is_looking = True
            self.run_worker(self._look_and_show(is_due))

    async def _look_and_show(self, is_due: bool) -> None:
        try:
            self._span = await asyncio.to_thread(self._feed.look, is_due=is_due)
        except ServiceError as error:
            self._trouble = f"No new data, trying again: {error}"
        except RecordingError as error:
            self._trouble = str(error)
        else:
            self._trouble = None
        self._is_looking = False
        self._draw()
        self._count()

    def _count(self) -> None:
        """Exit after the last iteration, else look again after the delay."""
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self.call_after_refresh(self.exit)
                return
        if self._timer is not None:
            self._timer.stop()
        pause_seconds = self._feed.pause_seconds(self._delay_seconds)
        if pause_seconds is not None:
            self._timer = self.set_timer(pause_seconds, self._look_when_due)

    def _look_when_due(self) -> None:
        self._look(is_due=True)

    def _draw(self) -> None:
        now = self._span.now
        self._summary.show(map(plain, map(safe, summary(now, self._face.title(now)))))
        for panel, body in self._bodies.items():
            body.display = panel == self._panel
        self._bodies[self._panel].show(*self._body())
        told = wrap(self._told(), max(1, self.size.width))
        self._notice.display = bool(told)
        self._notice.styles.height = len(told)
        self._notice.show(map(warning, told))
        entry = self._prompt.entry
        keys = key_help(self._face.keys, self._is_on, self._face.on)
        self._bottom.show([keys if entry is None else prompt(DELAY_PROMPT, entry)])

    def _body(self) -> tuple[list[Line], View]:
        """Return the lines between summary and keys."""
        if self._panel != _DOMAINS:
            return list(self._face.panels[self._panel](self._span, self.size.width)), View()
        self._form = self._form.holding(self._span.now)
        return list(table(self._span, self._view, self._form)), self._view

    def _told(self) -> str:
        return safe(self._prompt.complaint or self._trouble or self._feed.status)

    def _is_on(self, name: str) -> bool:
        """Return whether what a key switches is on; some keys switch nothing."""
        if name in self._face.panels:
            return name == self._panel
        return bool(name) and bool(getattr(self._view, name))


def run(face: Face, feed: Feed, first: Span, view: View, pace: Pace) -> int:
    """Show the screen in the terminal until the user leaves it; return the exit code."""
    screen = TopApp(face, feed, first, view, pace)
    screen.run(mouse=False)  # so that text on the screen can be selected
    return screen.return_code or 0
