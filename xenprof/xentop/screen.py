"""Shows xentop's live screen and handles its keys.

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

from hypervisor.telemetry import HostSnapshot
from xenprof.client import ServiceError
from xenprof.xentop.fetch import Fetch
from xenprof.xentop.forms import xentop_form
from xenprof.xentop.prompt import DELAY_PROMPT, DelayPrompt
from xenprof.xentop.span import Span
from xenprof.xentop.table import summary, table
from xenprof.xentop.view import View
from xenprof.xentop.widgets import DomainTable, TextLines, key_help, plain, prompt, warning

SWITCHES = {"n": "networks", "b": "vbds", "v": "vcpus", "r": "repeats_head"}
MOVES: Mapping[str, Mapping[str, int]] = {
    "up": {"lines": -1},
    "down": {"lines": 1},
    "pageup": {"pages": -1},
    "pagedown": {"pages": 1},
    "left": {"columns": -1},
    "right": {"columns": 1},
}


@dataclass(frozen=True, slots=True)
class Pace:
    """The delay between looks, in seconds of the user's clock, and their number (None = no end)."""

    delay_seconds: float
    iterations: int | None = None


class TopApp(App[None]):
    """Shows the host until Q, Esc or the last iteration.

    If the service is gone, the last data stay on the screen, and the service is asked again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    AUTO_FOCUS = None

    def __init__(self, fetch: Fetch, first: HostSnapshot, view: View, pace: Pace) -> None:
        """Begin with the snapshot that the caller has `fetch`ed already."""
        super().__init__(ansi_color=True)
        self._fetch = fetch
        self._span = Span(first)
        self._view = view
        self._form = xentop_form(first, view)
        self._delay_seconds = pace.delay_seconds
        self._left = pace.iterations
        self._prompt = DelayPrompt()
        self._trouble: str | None = None  # why the data is old, until new data arrives
        self._timer: Timer | None = None
        self._is_fetching = False
        self._summary = TextLines(3)
        self._table = DomainTable()
        self._notice = TextLines(1)
        self._bottom = TextLines(1)

    def compose(self) -> ComposeResult:
        """Return the parts of the screen, top to bottom."""
        return iter((self._summary, self._table, self._notice, self._bottom))

    def on_mount(self) -> None:
        """Show the first snapshot; CPU(%) needs a second one."""
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
        """Handle a key; any key shows the newest data."""
        self._prompt.complaint = None
        if self._prompt.entry is not None:
            self._delay_seconds = self._prompt.edit(event) or self._delay_seconds
        elif event.key == "escape" or (event.character or "").lower() == "q":
            self.exit()
            return
        else:
            self._command(event)
        self._draw()
        self._look()

    def _command(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if letter == "d":
            self._prompt.ask()
        elif letter == "s":
            self._view = replace(self._view, sort=(self._view.sort + 1) % len(self._form.columns))
        elif letter in SWITCHES:
            switch = SWITCHES[letter]
            self._view = replace(self._view, **{switch: not getattr(self._view, switch)})
        elif event.key in MOVES:
            self._table.move(**MOVES[event.key])

    def _look(self) -> None:
        """Fetch a snapshot, unless a request is in progress."""
        if not self._is_fetching:
            self._is_fetching = True
            self.run_worker(self._fetch_and_show())

    async def _fetch_and_show(self) -> None:
        try:
            newest = await asyncio.to_thread(self._fetch)
        except ServiceError as error:
            self._trouble = f"No new data, trying again: {error}"
        else:
            # After a gap this may be another run of the host, which cannot be compared.
            self._span = Span(newest) if self._trouble else self._span.then(newest)
            self._trouble = None
        self._is_fetching = False
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
        self._timer = self.set_timer(self._delay_seconds, self._look)

    def _draw(self) -> None:
        self._summary.show(map(plain, summary(self._span.now)))
        self._form = self._form.holding(self._span.now)
        self._table.show(list(table(self._span, self._view, self._form)), self._view)
        told = wrap(self._prompt.complaint or self._trouble or "", max(1, self.size.width))
        self._notice.display = bool(told)
        self._notice.styles.height = len(told)
        self._notice.show(map(warning, told))
        entry = self._prompt.entry
        self._bottom.show([key_help(self._view) if entry is None else prompt(DELAY_PROMPT, entry)])


def run(fetch: Fetch, first: HostSnapshot, view: View, pace: Pace) -> int:
    """Show the screen in the terminal until the user leaves it; return the exit code."""
    screen = TopApp(fetch, first, view, pace)
    screen.run(mouse=False)  # so that text on the screen can be selected
    return screen.return_code or 0
