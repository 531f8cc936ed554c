"""Hands slices of the history to the exporter of OTLP, which sends them as one of its signals."""

from xenprof.profile.stacks import StackProfile
from xenprof.service.counts import Counted, Counts
from xenprof.service.journal import Journal
from xenprof.wire.history import PushStats

_SIGNAL = "profiles"


class Handing:
    """A push of the history into a journal; its statistics are what the exporter counts."""

    kind = "otlp"

    def __init__(self, journal: Journal[StackProfile], counts: Counts) -> None:
        self._journal = journal
        self._counts = counts

    def offer(self, profile: StackProfile) -> None:
        """Put a profile into the journal."""
        self._journal.append(profile)

    def stats(self) -> PushStats:
        """Return the statistics of the push."""
        figures = self._counts.figures()
        sent = figures[Counted.PUSH_SENT].get((_SIGNAL,), 0)
        dropped = sum(
            count
            for (signal, _), count in figures[Counted.PUSH_DROPPED].items()
            if signal == _SIGNAL
        )
        failures = figures[Counted.PUSH_FAILURES].get((_SIGNAL,), 0)
        return PushStats(sent, dropped, failures, self._journal.total - sent - dropped)

    def stop(self) -> None:
        """Do nothing: the exporter is closed later."""

    def close(self) -> None:
        """Do nothing, as `stop`."""
