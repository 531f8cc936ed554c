"""Runs a domain's daemon: its driver, its session directory, its attribution."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from hypervisor.errors import OprofilefsError
from hypervisor.host import Host, OprofileDriver, Samples, profiler_of
from xenprof.errors import StoreError
from xenprof.events import EventSetting
from xenprof.home import domain_root
from xenprof.oprofiled.attribution import DaemonConfig, TextRange
from xenprof.oprofiled.daemon import Oprofiled
from xenprof.oprofiled.log import LogFile, clock_text, statistics_lines
from xenprof.oprofiled.outcome import Balance
from xenprof.oprofiled.tallies import Told
from xenprof.oprofiled.writer import SampleWriter
from xenprof.session.buffers import restore
from xenprof.session.owed import DumpEnd
from xenprof.session.stackrecording import StackRecording
from xenprof.session.store import StoreThread
from xenprof.session.unseen import Unseen
from xenprof.store.sessiondir import SessionDir, domain_session
from xenprof.store.unseen import whole_unseen
from xenprof.wire.opcontrol import Setup

STATISTICS_PERIOD_NS = 600_000_000_000
"""The interval at which a daemon writes its files and statistics (the original's SIGALRM)."""
TELL_PERIOD_NS = 1_000_000_000
"""The interval at which a daemon tells which samples have found a place."""
_GLOBAL_STATS = (
    "event_lost_overflow",
    "sample_lost_no_mm",
    "sample_lost_no_mapping",
    "bt_lost_no_mapping",
)
_CPU_STATS = (
    "sample_received",
    "sample_lost_overflow",
    "backtrace_aborted",
    "sample_invalid_eip",
)


def session_dir(home: Path, domain: str, setup: Setup) -> SessionDir:
    """Return the session directory of a domain that its setup names."""
    return domain_session(domain_root(home, domain), setup.session_dir)


class RunningDaemon:
    """A daemon from `--start-daemon` to `--shutdown`. Used on the host's thread only.

    Its attribution and its files belong to the store's thread: samples are passed on as they
    arrive, and only operations that must be exact (a dump, statistics) wait for that thread.

    `counters` are the counter indices of `setup.events` in this domain's own oprofilefs.
    """

    def __init__(
        self,
        host: Host,
        home: Path,
        domain: str,
        driver: OprofileDriver,
        config: DaemonConfig,
        setup: Setup,
        counters: tuple[int, ...],
        store: StoreThread,
        sizes: Mapping[str, str],
    ) -> None:
        """The buffer is open and the directory exists; the caller has created the lock.

        `sizes`: the sizes of buffers that the kernel gets back at the end.
        """
        self.domain = domain
        self.domid = config.domid
        self.driver = driver
        self.setup = setup
        self.counters = counters
        self.directory = session_dir(home, domain, setup)
        self.is_enabled = False
        """`--start` has run since the last `--stop`."""
        self.is_ending = False
        """`--shutdown` has begun."""
        self.is_outdated = False
        """Whether domain 0 has started a new session since, for which this daemon is not ready."""
        self._host = host
        self._home = home
        self._store = store
        self._sizes = sizes
        self._log = LogFile(self.directory.log_path)
        earlier = store.call(self._earlier_notes)
        self.unseen = Unseen(config.domid, host.telemetry.snapshot(), earlier)
        self._writer = SampleWriter(
            self.directory.current, self._log.write, disk=store.disk, damaged=store.damaged
        )
        self._oprofiled = Oprofiled(
            config,
            domain_root(home, domain),
            self._writer,
            driver.modules,
            driver.tasks,
        )
        self._stacks = StackRecording(
            host, home, driver, config.domid, self._oprofiled, self.directory, self._log.write,
            depth=setup.callgraph_depth, disk=store.disk, damaged=store.damaged,
        )  # fmt: skip
        store.call(self._stacks.begin)
        self._losses: SimpleQueue[Mapping[str, int]] = SimpleQueue()
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._telling_due_ns = host.now_ns + TELL_PERIOD_NS
        if store.told is not None:
            self._oprofiled.count_places(with_symbols=store.counts_symbols)
        self.taken = 0
        """The number of samples read from the kernel so far."""
        self._statistics_due_ns = host.now_ns + STATISTICS_PERIOD_NS
        self.log(f"oprofiled started {clock_text(self._unix_seconds())}", "kernel pointer size: 8")

    def renamed(self, name: str) -> None:
        """Move to the domain's new root after a rename."""
        self.domain = name
        directory = self.directory = session_dir(self._home, name, self.setup)

        def follow() -> None:
            self._log.moved(directory.log_path)
            self._writer.moved(directory.current)
            self._stacks.moved(directory)
            self._oprofiled.moved(domain_root(self._home, name))

        self._store.submit(follow)

    def balance(self) -> Balance:
        """Return the balance of the samples taken."""
        return self._store.call(self._oprofiled.balance)

    @property
    def problem(self) -> str | None:
        """Return one line about samples that the last flush could not write, None if it did all."""
        written = self._writer.outcome
        if self.is_ending and written.held:  # there is no next dump to keep them for
            return written.cause
        return self._writer.outcome.problem or self._stacks.problem

    def close_buffer(self) -> None:
        """Close the kernel's buffer, and undo the sizes that were for this daemon only."""
        self.driver.close_buffer()
        restore(self.driver, self._sizes)

    def log(self, *lines: str) -> None:
        """Append lines to oprofiled.log."""
        write = self._log.write
        self._store.submit(lambda: write("\n".join(lines)))

    def pump(self) -> None:
        """Take the kernel's samples; every ten minutes write files and statistics."""
        for samples in self.driver.read_buffer():
            self.taken += len(samples)
            self._store.submit(partial(self._take, samples))
        if self._host.now_ns >= self._statistics_due_ns:
            self._statistics_due_ns = self._host.now_ns + STATISTICS_PERIOD_NS
            self._stacks.look()
            self._store.submit(self._oprofiled.flush)
            self.log_statistics()
        if self._host.now_ns >= self._telling_due_ns:
            self._telling_due_ns = self._host.now_ns + TELL_PERIOD_NS
            self._store.submit(self._note_places)
        self._report()

    def _take(self, samples: Samples) -> None:
        """Attribute samples; runs on the store's thread."""
        self._oprofiled.take(samples)
        self._note_losses()

    def _note_losses(self) -> None:
        if losses := self._oprofiled.new_losses():
            self._losses.put(losses)

    def _note_places(self) -> None:
        if told := self._oprofiled.told():
            self._told.put(told)

    def flush(self) -> None:
        """Write all samples taken, the statistics and `complete_dump`, and wait for the store.

        Raises: StoreError for statistics; samples that cannot be written are shown by `problem`.
        """
        self._stacks.look()
        self._store.call(self._oprofiled.flush)  # then `problem` is known
        self._store.call(self._note_losses)
        self._store.call(self._note_places)
        self._report()
        end, disk = self.dump_end(), self._store.disk
        self._store.call(lambda: end.write(disk, self._set_aside))

    def forget_session(self) -> int:
        """Forget a session that was reset or saved; return how many unwritten samples are lost."""
        lost = self.give_up()
        self._stacks.look()
        self._store.call(self._stacks.begin)
        self.unseen.clear(self._host.telemetry.snapshot())
        return lost

    @property
    def held(self) -> int:
        """Return how many samples, or stacks of samples, the last flush has kept for the next."""
        return max(self._writer.outcome.held, self._stacks.held)

    def give_up(self) -> int:
        """Count as lost what could not be written; return how many samples that were."""
        held = self._store.call(lambda: self._writer.outcome.held)
        self._store.call(self._oprofiled.discard)
        self._store.call(self._note_losses)
        self._report()
        return held

    def log_statistics(self) -> None:
        """Append the daemon's statistics to oprofiled.log."""
        balance = self.balance()
        lines = statistics_lines(
            self._unix_seconds(),
            dumps=self._oprofiled.dumps,
            samples=balance.taken,
            kernel_samples=self._oprofiled.kernel_samples,
            lost=balance.lost,
            driver=self.driver_stats(),
        )
        self.log(*lines)

    def driver_stats(self) -> Mapping[str, int]:
        """Return the kernel's files below /dev/oprofile/stats, with their values."""
        return dict(self._read_stats())

    def _report(self) -> None:
        """Tell the host what the store's thread has noted."""
        while not self._losses.empty():
            profiler_of(self._host).count_samples(self.domid, self._losses.get())
        while not self._told.empty() and self._store.told is not None:
            self._store.told(self._told.get())

    def _earlier_notes(self) -> Mapping[str, str]:
        """Return what earlier daemons of the session have noted; runs on the store's thread."""
        try:
            return whole_unseen(self.directory.current, self._store.disk, self._set_aside)
        except StoreError as error:
            self._log.write(str(error))
            return {}

    def _set_aside(self, error: StoreError) -> None:
        self._log.write(f"{error}: set aside, new ones have been begun")
        self._store.damaged(error)

    def inherit(self, end: DumpEnd) -> None:
        """Continue from notes of the session's last daemon that could not be written."""
        self.unseen = Unseen(self.domid, self._host.telemetry.snapshot(), end.by_key())

    def dump_end(self) -> DumpEnd:
        """Return what ends a dump of the session as it is now."""
        snapshot = self._host.telemetry.snapshot()
        # What a destroyed domain has not read is among its losses.
        is_alive = any(domain.domid == self.domid for domain in snapshot.domains)
        notes = tuple(self.unseen.lines(snapshot, self._unread() if is_alive else 0))
        return DumpEnd(self.directory, self.driver_stats(), notes)

    def _unread(self) -> int:
        """Return the number of samples in the kernel and, if that is readable, in Xen's rings."""
        try:
            in_rings = int(self.driver.read("unread"))
        except OprofilefsError:
            in_rings = 0
        return in_rings + self.driver.pending()

    def _read_stats(self) -> Iterator[tuple[str, int]]:
        for name in _GLOBAL_STATS:
            yield from self._read_stat(name)
        cpu = 0
        while values := [
            pair for name in _CPU_STATS for pair in self._read_stat(f"cpu{cpu}/{name}")
        ]:
            yield from values
            cpu += 1

    def _read_stat(self, name: str) -> Iterator[tuple[str, int]]:
        try:
            yield name, int(self.driver.read(f"stats/{name}"))
        except OprofilefsError:
            return

    def _unix_seconds(self) -> int:
        return (self._host.epoch_ns + self._host.now_ns) // 1_000_000_000


def daemon_config(
    driver: OprofileDriver, setup: Setup, labels: Mapping[int, EventSetting]
) -> DaemonConfig:
    """Return the configuration of a daemon; `labels` names the counters by index."""
    vmlinux = xen = None
    if setup.vmlinux is not None and setup.kernel_range is not None:
        vmlinux = TextRange(setup.vmlinux, *setup.kernel_range)
    if setup.xen_image is not None and setup.xen_range is not None:
        xen = TextRange(setup.xen_image, *setup.xen_range)
    passive = parse_domains(setup.passive_domains or "")
    ranges = (*setup.passive_ranges, *[setup.kernel_range] * len(passive))
    return DaemonConfig(
        domid=int(driver.read("domid")),
        cpu_type=driver.read("cpu_type"),
        cpu_mhz=float(driver.read("cpu_mhz")),
        events=labels,
        vmlinux=vmlinux,
        xen=xen,
        passive=dict(zip(passive, ranges, strict=False)),
        separate=frozenset(setup.separate),
        image_filter=setup.image_filter,
    )


def parse_domains(text: str) -> list[int]:
    """Return the ids in a domain list as the driver reads it, none for a text that it refuses."""
    try:
        return [int(word, 0) for word in text.replace(",", " ").split()]
    except ValueError:
        return []
