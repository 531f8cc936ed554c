"""Renders scrapes in a thread of its own, each once however many clients ask for it meanwhile."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from isal import isal_zlib

from exporters.attempts import FailingMetrics
from exporters.scrape.renderer import Renderer
from exporters.scrape.wanted import Wanted
from xenprof.errors import XenprofError
from xenprof.service.exporter import SnapshotSource

MOST_WAITING = 4
"""Scrapes of a part that wait at a time: each is rendered for itself; judgement. Whole scrapes go
before them, and wait for the one at most that is being rendered."""
OLDEST_SECONDS = 5.0
"""So long a scrape is kept when no new snapshot comes; the service's own figures go on."""
_GZIP_LEVEL = 1  # of 0 to 3; four times as fast as zlib's 1 on such text, to the same size
_GZIP_BITS = 16 + isal_zlib.MAX_WBITS  # gzip's header instead of zlib's


class TooManyScrapes(XenprofError):
    """Refuses a scrape of a part when as many are waiting as may."""

    http_status = 503


class ScrapingStopped(XenprofError):
    """Refuses a scrape while the service stops."""

    http_status = 503


@dataclass(frozen=True, slots=True)
class Form:
    """What a scrape looks like."""

    openmetrics: bool
    zipped: bool
    wanted: Wanted = Wanted()  # noqa: RUF009 - it is frozen


Job = tuple["Future[bytes]", Renderer | None, Form]
"""A scrape that waits; a part has a renderer of its own, which is made when its turn comes."""


class Renderings:
    """The scrapes of the present snapshot. Any thread may ask for one."""

    def __init__(self, source: SnapshotSource, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds. Nothing is rendered before it is asked for."""
        self._source = source
        self._clock = clock
        self._lock = threading.RLock()  # a part may be done before `body` returns
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scrape")
        self._failing = FailingMetrics()
        self._renderer = Renderer(failing=self._failing)  # of that thread
        self._snapshot: tuple[int, bool] | None = None
        self._since = 0.0
        self._done: dict[Form, Future[bytes]] = {}  # of that snapshot, or on the way
        self._whole: deque[Job] = deque()
        self._parts: deque[Job] = deque()
        self._waiting = 0  # parts, with the one that is being rendered
        self._is_closed = False

    def body(self, form: Form) -> "Future[bytes]":
        """Return a future of a scrape. Raises: TooManyScrapes, ScrapingStopped."""
        with self._lock:
            if self._is_closed:
                raise ScrapingStopped("the xenprof service is stopping")
            self._renew()
            if not form.wanted.is_whole:
                return self._part(form)
            future = self._done.get(form)
            if future is None:
                future = self._done[form] = self._submit(self._whole, self._renderer, form)
            return future

    def _submit(self, queue: deque[Job], renderer: Renderer | None, form: Form) -> "Future[bytes]":
        future: Future[bytes] = Future()
        queue.append((future, renderer, form))
        self._thread.submit(self._render_next)
        return future

    def _render_next(self) -> None:
        """Render what waits longest: of whole scrapes, and of parts if there is no whole one."""
        with self._lock:
            queue = self._whole or self._parts
            if not queue:  # closed meanwhile
                return
            future, renderer, form = queue.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            body = self._rendered(renderer or Renderer(failing=self._failing), form)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(body)

    def _renew(self) -> None:
        """Forget the scrapes of an earlier snapshot. Those who wait for one still get it."""
        snapshot = (self._source.snapshot().generation, self._source.is_ready)
        if snapshot != self._snapshot or self._clock() - self._since > OLDEST_SECONDS:
            self._snapshot, self._since = snapshot, self._clock()
            self._done = {}

    def _part(self, form: Form) -> "Future[bytes]":
        if self._waiting >= MOST_WAITING:
            raise TooManyScrapes("too many scrapes with parameters at a time")
        future = self._submit(self._parts, None, form)
        self._waiting += 1
        future.add_done_callback(self._part_done)  # also of one that is cancelled
        return future

    def _part_done(self, _: "Future[bytes]") -> None:
        with self._lock:
            self._waiting -= 1

    def _rendered(self, renderer: Renderer, form: Form) -> bytes:
        began = self._clock()
        pieces = renderer.pieces(
            self._source.snapshots(),
            self._source.stats(),
            openmetrics=form.openmetrics,
            wanted=form.wanted,
        )
        body = _zipped(pieces) if form.zipped else b"".join(pieces)
        name = "openmetrics" if form.openmetrics else "text"
        self._source.counts.note_render(name, self._clock() - began)
        return body

    def close(self) -> None:
        """End the thread after what it renders now; what still waits is cancelled."""
        with self._lock:
            self._is_closed = True
            waiting = [*self._whole, *self._parts]
            self._whole.clear()
            self._parts.clear()
        for future, _, _ in waiting:
            future.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _zipped(pieces: list[bytes]) -> bytes:
    """Return pieces as one gzip file, without joining them first."""
    zipper = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_BITS)
    return b"".join([*map(zipper.compress, pieces), zipper.flush()])
