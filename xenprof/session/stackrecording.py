"""Decides whether a daemon records call stacks, and gives it what it needs of the host."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hypervisor.host import Host, OprofileDriver, StackWalker
from hypervisor.samples import CallStack
from xenprof.disk import Disk
from xenprof.errors import StoreError
from xenprof.home import domain_root
from xenprof.oprofiled.attribution import Attributor
from xenprof.oprofiled.daemon import Oprofiled
from xenprof.oprofiled.recorder import StackRecorder
from xenprof.oprofiled.stacks import Known
from xenprof.oprofiled.stackwriter import StackWriter
from xenprof.store.sessiondir import SessionDir
from xenprof.store.stackfile import has_stacks


class StackRecording:
    """Controls the stacks of a daemon. `look` runs on the host's thread, the rest on the store's.

    In a session with stacks, all samples have stacks: those taken without one get a stack of one
    frame. So a session never has fewer samples with stacks than samples.
    """

    def __init__(
        self,
        host: Host,
        home: Path,
        driver: OprofileDriver,
        domid: int,
        oprofiled: Oprofiled,
        directory: SessionDir,
        log: Callable[[str], None],
        *,
        depth: int,
        disk: Disk,
        damaged: Callable[[StoreError], None],
    ) -> None:
        """`depth`: the most callers that are recorded; 0: as the session requires."""
        self._host = host
        self._home = home
        self._driver = driver
        self._domid = domid
        self._oprofiled = oprofiled
        self._depth = depth
        self._writer = StackWriter(directory.current, log, disk=disk, damaged=damaged)
        self._domains: Mapping[int, Known] = {}
        self._passive: set[int] = set()
        self._unix_ns = 0
        self.look()

    def look(self) -> None:
        """Note the domains' names and the time, before samples are written."""
        snapshot = self._host.telemetry.snapshot()
        if snapshot.xenoprof is not None:  # the list is emptied before the last samples come
            self._passive |= set(snapshot.xenoprof.passive_domains)
        known = {
            domain.domid: Known(
                domain.name, domain_root(self._home, domain.name), domain.domid in self._passive
            )
            for domain in snapshot.domains
        }
        self._domains = {**self._domains, **known}  # samples of destroyed ones may still come
        self._unix_ns = self._host.epoch_ns + self._host.now_ns
        recorder = self._oprofiled.recorder
        if recorder is not None:
            recorder.until_unix_ns = self._unix_ns

    def begin(self) -> None:
        """Begin a session, or continue it with this daemon."""
        wanted = self._depth > 0 or has_stacks(self._writer.session)
        recorder = self._oprofiled.recorder
        if wanted and recorder is not None:  # it may hold samples taken since the dump
            recorder.start_unix_ns = self._unix_ns
            return
        self._oprofiled.record_stacks(self._make if wanted else None)

    def moved(self, directory: SessionDir) -> None:
        """Continue in a session directory that has moved."""
        self._writer.moved(directory.current)

    @property
    def problem(self) -> str | None:
        """Return one line about what the last write could not do, None if it did all."""
        return self._writer.outcome.problem

    @property
    def held(self) -> int:
        """Return the samples whose stacks the last write has kept for the next."""
        return self._writer.outcome.held

    def _make(self, attributor: Attributor) -> StackRecorder:
        return StackRecorder(
            attributor, self._stack, self._domid, lambda: self._domains, self._writer,
            self._unix_ns,
        )  # fmt: skip

    def _stack(self, number: int) -> CallStack:
        assert isinstance(self._driver, StackWalker)  # otherwise no batch has stacks
        return self._driver.stack(number)
