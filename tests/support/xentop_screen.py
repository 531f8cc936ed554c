"""The screens of xentop and of `xenprof top` without a terminal: keys in, text and attributes out."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from rich.segment import Segment
from rich.style import Style

from tests.support.talk_host import HOST, OSSVM02, SECOND
from xenprof.client import ServiceNotRunning
from xenprof.xentop.faces import XENPROF_TOP, xentop_face
from xenprof.xentop.feed import Feed, LiveFeed
from xenprof.xentop.screen import Pace, TopApp
from xenprof.xentop.view import View

SMALL, WIDE = (80, 24), (160, 40)
NEVER = 1e5  # seconds until the screen looks by itself: too long for tests where keys make it look


class Service:
    """A service that answers with one host after the other, the last for ever; or not at all."""

    def __init__(self, *hosts) -> None:
        self.hosts = list(hosts or [HOST])
        self.is_gone = False
        self.asked = 0

    def fetch(self):
        self.asked += 1
        if self.is_gone:
            raise ServiceNotRunning(Path("/home"))
        return self.hosts.pop(0) if len(self.hosts) > 1 else self.hosts[0]


class Sight:
    """The contents of the screen."""

    def __init__(self, app: TopApp) -> None:
        self.app = app
        strips = app.screen._compositor.render_strips()
        self.strips = [[Segment(s.text, s.style or Style()) for s in strip] for strip in strips]
        self.lines = ["".join(segment.text for segment in strip).rstrip() for strip in self.strips]

    @property
    def names(self) -> list[str]:
        """Return the first words of the rows of the table."""
        return [line.split()[0] for line in self.lines[4:] if line][:-1]

    def column(self, head: str) -> list[str]:
        """Return the cells of a column, from the end of its head backwards to a blank."""
        end = self.lines[3].index(head) + len(head)
        return [line[:end].split(" ")[-1] for line in self.lines[4:] if line][:-1]

    def with_attribute(self, y: int, **wanted: bool) -> str:
        """Return the text of a line that has these attributes, e.g. bold=True."""
        return "".join(
            segment.text
            for segment in self.strips[y]
            if all(bool(getattr(segment.style, name)) == value for name, value in wanted.items())
        )

    def drawn(self) -> str:
        """Return the screen, with attributes below lines: r(everse), b(old), both: R, y(ellow)."""
        drawn = []
        for strip, line in zip(self.strips, self.lines, strict=True):
            marks = "".join(_mark(segment) * len(segment.text) for segment in strip).rstrip()
            drawn += [line, marks] if marks else [line]
        return "\n".join(drawn) + "\n"


def _mark(segment) -> str:
    style = segment.style
    if style.bgcolor and style.bgcolor.name == "yellow":
        return "y"
    return " rbR"[bool(style.reverse) + 2 * bool(style.bold)]


def xentop(service: Service, view: View | None = None, pace: Pace | None = None) -> TopApp:
    """Return the screen of xentop, which has asked the service once."""
    feed, view = LiveFeed(service.fetch), view or View()
    first = feed.look(is_due=False)
    return TopApp(xentop_face(first.now, view), feed, first, view, pace or Pace(NEVER))


def xenprof_top(feed: Feed, view: View | None = None, pace: Pace | None = None) -> TopApp:
    """Return the screen of `xenprof top`, which has looked once."""
    first = feed.look(is_due=False)
    return TopApp(XENPROF_TOP, feed, first, view or View(), pace or Pace(NEVER))


def look(
    *keys: str,
    service: Service | None = None,
    size: tuple[int, int] = SMALL,
    view: View | None = None,
    between: Callable[[TopApp], None] | None = None,
) -> Sight:
    """Return the screen of xentop after some keys."""
    return pressed(keys, xentop(service or Service(), view), size, between)


def watch(
    *keys: str,
    feed: Feed | None = None,
    size: tuple[int, int] = SMALL,
    view: View | None = None,
) -> Sight:
    """Return the screen of `xenprof top` after some keys."""
    return pressed(keys, xenprof_top(feed or LiveFeed(Service().fetch), view), size)


def pressed(
    keys: Iterable[str],
    app: TopApp,
    size: tuple[int, int],
    between: Callable[[TopApp], None] | None = None,
) -> Sight:
    """Press keys one by one, each handled before the next, and return the screen.

    `between` is called after each key.
    """

    async def drive() -> Sight:
        async with app.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
                await app.workers.wait_for_complete()
                await pilot.pause()
                if between:
                    between(app)
            return Sight(app)

    return asyncio.run(drive())


def many(count: int):
    """Return the host with `count` guests, from guest00 on."""
    guests = (replace(OSSVM02, domid=n + 1, name=f"guest{n:02}") for n in range(count))
    return replace(HOST, domains=tuple(guests))


def later(host, seconds, **cpu_seconds):
    """Return the host after a while in which domains have used `cpu_seconds` each."""
    domains = tuple(
        replace(d, cpu_ns=d.cpu_ns + round(cpu_seconds.get(d.name, 0) * SECOND))
        for d in host.domains
    )
    return replace(
        host,
        time_ns=host.time_ns + round(seconds * SECOND),
        unix_ns=host.unix_ns + round(seconds * SECOND),
        domains=domains,
    )
