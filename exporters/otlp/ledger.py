"""Counts what becomes of a signal, for the metrics xenprof_push_*."""

from dataclasses import dataclass

from xenprof.service.counts import Counted, Counts


@dataclass(frozen=True, slots=True)
class Ledger:
    """The counters of one signal; may be used from any thread.

    Points, log records, spans or profiles are either sent or dropped in the end; what waits for
    another attempt is neither yet. Failures are requests, each attempt counted.
    """

    signal: str
    counts: Counts

    def __post_init__(self) -> None:
        """Let the counts begin at 0."""
        self.counts.begin_pushes(self.signal)

    def sent(self, items: int) -> None:
        """Count what the receiver has taken."""
        self.counts.add(Counted.PUSH_SENT, self.signal, by=items)

    def failed(self) -> None:
        """Count a request that has failed, in part or as a whole."""
        self.counts.add(Counted.PUSH_FAILURES, self.signal)

    def dropped(self, reason: str, items: int) -> None:
        """Count what the receiver will never get."""
        if items:
            self.counts.add(Counted.PUSH_DROPPED, self.signal, reason, by=items)
