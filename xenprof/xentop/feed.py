"""Where `xenprof top` gets its looks at a host: from the running service, or from a recording."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from xenprof.client import ServiceError
from xenprof.xentop.fetch import Fetch
from xenprof.xentop.recording import Look, Recorder, Recording, RecordingError
from xenprof.xentop.span import Span

LONGEST_PAUSE_SECONDS = 10.0
"""A replay waits no longer between two looks, however far apart they were seen; judgement."""
_FASTEST, _SLOWEST = 64.0, 1 / 64


class Feed(Protocol):
    """Gives what is to be shown."""

    def look(self, *, is_due: bool) -> Span:
        """Return what to show; `is_due`: the delay has passed, else a key was pressed.

        May block for a while. Raises: ServiceError; RecordingError.
        """
        ...

    def pause_seconds(self, delay_seconds: float) -> float | None:
        """Return how long to wait for the next look; None: until a key is pressed."""
        ...

    def press(self, key: str) -> bool:
        """Obey a key, by Textual's name; return whether it means something here."""
        ...

    @property
    def status(self) -> str:
        """Return a line on the recording or the replay, empty if there is none."""
        ...


class LiveFeed:
    """Asks the service, and adds each new look to a recording if there is one."""

    def __init__(
        self,
        fetch: Fetch,
        recorder: Recorder | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`clock` is that of who looks, in ns since 1970."""
        self._fetch = fetch
        self._recorder = recorder
        self._clock = clock
        self._span: Span | None = None
        self._is_gone = False

    def look(self, *, is_due: bool) -> Span:
        """Return the newest snapshot and the one before it."""
        try:
            newest = self._fetch()
        except ServiceError:
            self._is_gone = True
            raise
        # After a gap this may be another run of the host, which cannot be compared.
        span = Span(newest) if self._span is None or self._is_gone else self._span.then(newest)
        if self._recorder is not None and span is not self._span:
            self._recorder.add(Look(self._clock(), newest))
        self._span, self._is_gone = span, False
        return span

    def pause_seconds(self, delay_seconds: float) -> float | None:
        """Return the delay."""
        return delay_seconds

    def press(self, key: str) -> bool:
        """Do nothing: no key has a meaning here."""
        return False

    @property
    def status(self) -> str:
        """Return how much has been recorded, or why no more is."""
        if self._recorder is None:
            return ""
        if self._recorder.trouble is not None:
            return f"Nothing more is recorded: {self._recorder.trouble}"
        return f"Recording into {self._recorder.path}: {self._recorder.records} looks"


class ReplayFeed:
    """Shows a recording again, in its own pace times `speed`, or step by step."""

    def __init__(self, recording: Recording, speed: float = 1.0) -> None:
        """`recording` has one look at least."""
        self._recording = recording
        self._at = lru_cache(maxsize=3)(recording.at)  # the one before, this one, the next
        self._speed = speed
        self._number = 0
        self._is_paused = False
        self._seen_unix_ns = 0

    def look(self, *, is_due: bool) -> Span:
        """Return the next look if it is due, else the present one, with the one before it."""
        if is_due and self._number < self._last:
            self._number += 1
        now = self._at(self._number)
        self._seen_unix_ns = now.seen_unix_ns
        return self._since_the_one_before(now)

    def _since_the_one_before(self, now: Look) -> Span:
        if self._number == 0:
            return Span(now.host)
        try:
            return Span(self._at(self._number - 1).host).then(now.host)
        except RecordingError:
            return Span(now.host)

    def pause_seconds(self, delay_seconds: float) -> float | None:
        """Return the time that has passed between this look and the next one, by the speed."""
        if self._is_paused or self._number == self._last:
            return None
        try:
            following = self._at(self._number + 1).seen_unix_ns
        except RecordingError:
            return delay_seconds / self._speed
        passed_seconds = max(0, following - self._seen_unix_ns) / 1e9
        return min(LONGEST_PAUSE_SECONDS, passed_seconds / self._speed)

    def press(self, key: str) -> bool:
        """Obey: space pauses, `.` and `,` step, `<` and `>` change the speed, home and end."""
        if key == "space":
            self._is_paused = not self._is_paused
        elif key in _STEPS:
            self._is_paused = True
            self._number = max(0, min(self._last, self._number + _STEPS[key]))
        elif key in _SPEEDS:
            self._speed = max(_SLOWEST, min(_FASTEST, self._speed * _SPEEDS[key]))
        elif key in ("home", "end"):
            self._number = 0 if key == "home" else self._last
        else:
            return False
        return True

    @property
    def status(self) -> str:
        """Return where the replay is, and which keys move it."""
        seen = datetime.fromtimestamp(self._seen_unix_ns // 10**9, UTC)
        ends = ", cut at its end" if self._recording.is_cut else ""
        pace = "paused" if self._is_paused else f"speed {self._speed:g}"
        return (
            f"Look {self._number + 1} of {len(self._recording)}{ends}, "
            f"seen {seen:%Y-%m-%d %H:%M:%S} UTC, {pace}; keys: space , . < > Home End"
        )

    @property
    def _last(self) -> int:
        return len(self._recording) - 1


_STEPS = {"full_stop": 1, "comma": -1}
_SPEEDS = {"greater_than_sign": 2.0, "less_than_sign": 0.5}
