"""Cuts the service's history into slices, on the host's thread and by its clock.

At the end of a slice every running daemon dumps, as by `opcontrol --dump`; the store's thread reads
the new samples of the sessions, in order with all writes, and a thread of its own makes the slice.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hypervisor.errors import HostError
from hypervisor.host import Host
from xenprof.errors import XenprofError
from xenprof.history.collector import Collector
from xenprof.history.figures import HistorySettings, HistoryStats
from xenprof.history.push import Address, Pusher
from xenprof.history.receivers import Pyroscope
from xenprof.history.recorder import Push, Recorder
from xenprof.history.slices import Slice
from xenprof.service.commands import Command
from xenprof.session.sessions import Sessions

log = logging.getLogger(__name__)

MOST_SPARED = 32
"""The most slices for which a daemon that does not answer is skipped; judgement."""
_BEGIN_ANEW = frozenset({"opcontrol reset", "opcontrol save"})
"""Commands after which a session's counts start from 0."""


class History:
    """Keeps the history of a service. Methods run on the host's thread if not said otherwise."""

    def __init__(
        self,
        host: Host,
        home: Path,
        settings: HistorySettings,
        sessions: Sessions,
        submit: Callable[[Callable[[], None]], None],
        note: Callable[[int, Command], None],
        handing: Push | None = None,
    ) -> None:
        """`submit` runs a job on the store's thread; `note` logs a command of the history itself.

        `handing` takes what is pushed by OTLP.
        Raises: StoreError (the folder cannot be used); UsageError (a URL cannot be used).
        """
        self._sessions = sessions
        self._submit = submit
        self._note = note
        self._period_ns = settings.period_ns
        self._collector = Collector(home, log.warning)
        pushed_to = pushes(settings) if handing is None else (*pushes(settings), handing)
        self._recorder = Recorder(home, settings, host.name, pushed_to, log.warning)
        self._start_ns = host.now_ns
        self._due_ns = host.now_ns + settings.period_ns
        self._told: set[str] = set()
        self._spared: dict[str, tuple[int, int]] = {}  # slices left to skip, and how many next time

    def begin(self) -> None:
        """Begin the history, without the samples and losses that sessions have already."""
        self._submit(self._collector.begin)

    def tick(self, host: Host) -> None:
        """End the slice if it is time; called often."""
        if host.now_ns >= self._due_ns:
            self._due_ns = host.now_ns + self._period_ns
            if not self._recorder.is_behind:  # otherwise this slice gets longer
                self.cut(host)

    def cut(self, host: Host) -> None:
        """End the slice now."""
        for domain in host.telemetry.snapshot().domains:
            if not domain.paused and not self._is_spared(domain.name):
                self._dump(host, domain.name)
        self.close_slice(host)

    def close_slice(self, host: Host) -> None:
        """End the slice with the samples in the files, without a dump."""
        start_ns, end_ns = self._start_ns, host.now_ns
        if end_ns > start_ns:
            self._start_ns = end_ns
            epoch_ns = host.epoch_ns
            self._submit(partial(self._collect, epoch_ns + start_ns, epoch_ns + end_ns))

    def before(self, host: Host, command: Command) -> None:
        """Put the samples that a command will delete or move away into a slice."""
        if command.name in _BEGIN_ANEW:
            self.cut(host)

    def after(self, command: Command) -> None:
        """Forget the old counts after a command that has reset a session."""
        if command.name in _BEGIN_ANEW:
            self._submit(self._collector.forget)

    def stats(self) -> HistoryStats:
        """Return the history's own figures; may be called from any thread."""
        return self._recorder.stats()

    @property
    def slices(self) -> Sequence[Slice]:
        """Return the slices on the disk, oldest first; may be called from any thread."""
        return self._recorder.slices

    def stop(self) -> None:
        """Write the collected samples and begin the last pushes; after the store's last job."""
        self._recorder.stop()

    def close(self) -> None:
        """Wait for the last pushes; after `stop`, on any thread."""
        self._recorder.close()

    def _is_spared(self, domain: str) -> bool:
        """Return whether a daemon that did not answer is skipped this time."""
        left, length = self._spared.get(domain, (0, 0))
        if left:
            self._spared[domain] = left - 1, length
        return left > 0

    def _dump(self, host: Host, domain: str) -> None:
        try:
            if self._sessions.status(domain).state != "running":
                return
            self._note(host.now_ns, Command("opcontrol dump", domain))
            outcome = self._sessions.dump(domain)
        except (HostError, XenprofError, OSError) as error:
            self._tell(f"history: {domain}: {error}")
            return
        if outcome.exit_code:
            self._tell(f"history: {domain}: {'; '.join(outcome.stderr)}")
            # The model has waited ten seconds in vain, which must not happen in every slice.
            length = min(2 * self._spared.get(domain, (0, 0))[1] or 1, MOST_SPARED)
            self._spared[domain] = length, length
        else:
            self._spared.pop(domain, None)

    def _tell(self, line: str) -> None:
        if line not in self._told:  # once, as it would be repeated with every slice
            self._told.add(line)
            log.warning(line)

    def _collect(self, start_unix_ns: int, end_unix_ns: int) -> None:
        """Collect the new samples; runs on the store's thread."""
        self._recorder.record(self._collector.collect(), start_unix_ns, end_unix_ns)


def pushes(settings: HistorySettings) -> tuple[Push, ...]:
    """Return the pushes that send slices themselves. Raises: UsageError: a URL is not usable."""
    if settings.push_url is None:
        return ()
    address = Address.parse(settings.push_url)
    return (Pusher(Pyroscope(address.url), address.authorization),)
