"""Counts what becomes of a signal."""

import threading
from collections import Counter

from xenprof.service.exporter import SignalStats


class Ledger:
    """The counters of one signal; may be used from any thread."""

    def __init__(self, signal: str) -> None:
        self.signal = signal
        self._sent = 0
        self._failed = 0
        self._dropped: Counter[str] = Counter()
        self._lock = threading.Lock()

    def sent(self, items: int) -> None:
        """Count what the receiver has taken."""
        with self._lock:
            self._sent += items

    def failed(self) -> None:
        """Count a request that has failed."""
        with self._lock:
            self._failed += 1

    def dropped(self, reason: str, items: int) -> None:
        """Count what the receiver will never get."""
        if items:
            with self._lock:
                self._dropped[reason] += items

    def stats(self) -> SignalStats:
        """Return the counters."""
        with self._lock:
            return SignalStats(self.signal, self._sent, self._failed, dict(self._dropped))
