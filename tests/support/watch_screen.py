"""The screen of `xenprof top` without a terminal: keys in, lines out."""

import asyncio

from tests.support.xentop_screen import NEVER, SMALL, Service, Sight
from xenprof.xentop.feed import Feed, LiveFeed
from xenprof.xentop.screen import Pace
from xenprof.xentop.view import View
from xenprof.xentop.watch import WatchApp


def watch(
    *keys: str,
    feed: Feed | None = None,
    size: tuple[int, int] = SMALL,
    view: View | None = None,
    pace: Pace | None = None,
) -> Sight:
    """Press keys one by one, each handled before the next, and return the screen."""
    found = feed or LiveFeed(Service().fetch)

    async def drive() -> Sight:
        first = found.look(is_due=False)
        app = WatchApp(found, first, view or View(), pace or Pace(NEVER))
        async with app.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
                await app.workers.wait_for_complete()
                await pilot.pause()
            return Sight(app)

    return asyncio.run(drive())
