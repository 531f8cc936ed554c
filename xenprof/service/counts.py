"""Counts what the service does for others: requests, scrapes and pushes.

All label values are of literal sets, so that nobody outside can make more series.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Final

OTHER: Final = "other"
"""Stands for a label value that is not in the table."""


class Counted(StrEnum):
    """What is counted."""

    HTTP_REQUESTS = "http_requests"
    AUTHENTICATION_FAILURES = "authentication_failures"
    SCRAPES = "scrapes"
    SCRAPE_BYTES = "scrape_bytes"
    SCRAPE_TIMEOUTS = "scrape_timeouts"
    PUSH_SENT = "push_sent"
    PUSH_DROPPED = "push_dropped"
    PUSH_FAILURES = "push_failures"


CODES = (
    "200", "204", "206", "304", "307", "400", "401", "403", "404", "405", "408", "409", "411",
    "413", "414", "415", "421", "426", "429", "431", "499", "500", "501", "502", "503", "504",
    "507",
)  # fmt: skip
FORMATS = ("text", "openmetrics")
ENCODINGS = ("identity", "gzip")
SIGNALS = ("metrics", "logs", "traces", "profiles")
DROP_REASONS = ("rejected", "failed", "queue_full", "missed", "stopped")

LABELS: Mapping[Counted, tuple[tuple[str, ...], ...]] = {
    Counted.HTTP_REQUESTS: (CODES,),
    Counted.AUTHENTICATION_FAILURES: (),
    Counted.SCRAPES: (FORMATS,),
    Counted.SCRAPE_BYTES: (ENCODINGS,),
    Counted.SCRAPE_TIMEOUTS: (),
    Counted.PUSH_SENT: (SIGNALS,),
    Counted.PUSH_DROPPED: (SIGNALS, DROP_REASONS),
    Counted.PUSH_FAILURES: (SIGNALS,),
}
"""The values that each label can have. What is not in a set counts as OTHER."""

_PUSHES = (Counted.PUSH_SENT, Counted.PUSH_DROPPED, Counted.PUSH_FAILURES)
_SPARSE = {Counted.HTTP_REQUESTS, *_PUSHES}
"""Only what has happened is shown; all else begins at 0, so that its first increase is seen.
Pushes begin at 0 with their signal: one that is sent nowhere has none (see `begin_pushes`)."""

Figures = Mapping[Counted, Mapping[tuple[str, ...], int]]


class Counts:
    """Counters that any thread may increase."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._lock = threading.Lock()
        self._counts: dict[Counted, Counter[tuple[str, ...]]] = {
            what: Counter(dict.fromkeys(() if what in _SPARSE else product(*sets), 0))
            for what, sets in LABELS.items()
        }
        self._render_seconds: dict[str, float] = {}

    def begin_pushes(self, signal: str) -> None:
        """Let the counts of a signal that is pushed begin at 0."""
        with self._lock:
            for what in _PUSHES:
                for labels in product((signal,), *LABELS[what][1:]):
                    self._counts[what].setdefault(labels, 0)

    def add(self, what: Counted, *labels: str, by: int = 1) -> None:
        """Increase a counter; `labels` are in the order of LABELS."""
        sets = zip(labels, LABELS[what], strict=True)
        known = tuple(value if value in values else OTHER for value, values in sets)
        with self._lock:
            self._counts[what][known] += by

    def note_render(self, form: str, seconds: float) -> None:
        """Note how long the last scrape of a format took to render."""
        if form in FORMATS:
            with self._lock:
                self._render_seconds[form] = seconds

    def figures(self) -> Figures:
        """Return all counts by label values."""
        with self._lock:
            return {what: dict(counts) for what, counts in self._counts.items()}

    def render_seconds(self) -> Mapping[str, float]:
        """Return the durations of the last renderings by format."""
        with self._lock:
            return dict(self._render_seconds)
