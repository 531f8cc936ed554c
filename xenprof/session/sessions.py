"""opcontrol's state machine: controls a daemon for each domain, and their coupling.

Domain 0 lists the active domains and owns the counters; the others can only take part. Real
Xen 3.0.3 counts only after domain 0's `--start`, and does not release a domain while it counts.
Unless strict, counting starts once by itself when every other listed domain has started, and
a domain that shuts down is drained and leaves the list.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypervisor.errors import HostError, OprofilefsError, Refused
from hypervisor.host import Host, profiler_of
from hypervisor.telemetry import DomainSnapshot
from xenprof.disk import DISK, Disk
from xenprof.errors import StoreError, XenprofError
from xenprof.home import DOMAIN_0_ID
from xenprof.oprofiled.tallies import Told
from xenprof.session.answer import Answer
from xenprof.session.changing import CANNOT_SAVE, change_session
from xenprof.session.daemon import RunningDaemon, parse_domains, session_dir
from xenprof.session.flushing import flush
from xenprof.session.owed import Owed
from xenprof.session.starting import refuse_other_lists, start_daemon
from xenprof.session.store import StoreThread
from xenprof.wire.opcontrol import DaemonStatus, Outcome, Setup

DUMP_LIMIT_NS = 10_000_000_000
"""The longest time that a dump waits for the kernel's samples."""


class Sessions:
    """Controls all daemons of a host. All methods run on the thread that owns the host.

    Domains are given by name or id. Methods for opcontrol's verbs return an Outcome and raise
    only UnknownDomain.
    """

    def __init__(
        self,
        host: Host,
        home: Path,
        *,
        strict: bool = False,
        submit: Callable[[Callable[[], None]], None] = lambda job: job(),
        disk: Disk = DISK,
        damaged: Callable[[StoreError], None] = lambda error: None,
        told: Callable[[Told], None] | None = None,
        counts_symbols: bool = False,
    ) -> None:
        """`submit` runs a job in order on the store's thread; for the rest see StoreThread.

        Raises: MissingCapability.
        """
        self._host = host
        self._profiler = profiler_of(host)
        self._home = home
        self._strict = strict
        self._store = StoreThread(submit, disk, damaged, told, counts_symbols)
        self._owed = Owed(self._store)
        self._daemons: dict[int, RunningDaemon] = {}
        self._awaits_start = False  # counting can still start by itself in this session

    # -- the verbs -------------------------------------------------------------------------

    def init(self, domain: str) -> Outcome:
        """Load the driver; there is no output unless the domain cannot have one."""
        answer = Answer()
        self._check_driver(self._find(domain), answer)
        return answer.outcome()

    def start_daemon(self, domain: str, setup: Setup) -> Outcome:
        """Start the daemon of a domain unless it runs; nothing is counted yet."""
        answer = Answer()
        self._start_daemon(self._find(domain), setup, answer)
        return answer.outcome()

    def start(self, domain: str, setup: Setup | None) -> Outcome:
        """Start the daemon if needed, then profiling; without `setup` the daemon must run."""
        answer = Answer()
        target = self._find(domain)
        if setup is None and target.domid not in self._daemons:
            answer.fail("Daemon not running: run opcontrol --start-daemon first")
            return answer.outcome()
        daemon = self._start_daemon(target, setup or Setup(), answer)
        if daemon is None:
            return answer.outcome()
        if daemon.is_outdated:
            answer.fail(
                "domain 0 has started another session since this daemon started: "
                "run opcontrol --shutdown and then --start here"
            )
        elif self._enable(daemon, answer):
            answer.say("Profiler running.")
            if target.domid != DOMAIN_0_ID:
                self._start_counting(answer)
        return answer.outcome()

    def dump(self, domain: str) -> Outcome:
        """Write all samples so far to the sample files."""
        answer = Answer()
        target = self._find(domain)
        if (daemon := self._daemons.get(target.domid)) is None:
            answer.fail("Unable to complete dump of oprofile data: is the oprofile daemon running?")
        else:
            self._dump(daemon, answer)
        return answer.outcome()

    def stop(self, domain: str) -> Outcome:
        """Dump, then stop profiling; the daemon keeps running."""
        answer = Answer()
        if daemon := self._running(domain, answer):
            self._dump(daemon, answer)
            self._disable(daemon, answer)
        return answer.outcome()

    def shutdown(self, domain: str) -> Outcome:
        """Dump, stop profiling and end the daemon."""
        answer = Answer()
        if daemon := self._running(domain, answer):
            daemon.is_ending = True
            self._dump(daemon, answer)
            self._disable(daemon, answer)
            answer.say("Killing daemon.")
            self._kill(daemon, answer)
        return answer.outcome()

    def reset(self, domain: str, setup: Setup | None = None) -> Outcome:
        """Dump, then delete the samples of the current session.

        Without a daemon, `setup` has the session directory.
        """
        return self._change_session(domain, None, setup)

    def save(self, domain: str, name: str, setup: Setup | None = None) -> Outcome:
        """Dump, then make the current session the saved one called `name`; `setup` as in reset."""
        return self._change_session(domain, name, setup)

    def deinit(self, domain: str) -> Outcome:
        """Shut down if a daemon runs, then unload the driver."""
        target = self._find(domain)
        before = self.shutdown(domain) if target.domid in self._daemons else Outcome()
        stderr = (*before.stderr, "Unloading oprofile module")
        return Outcome(before.stdout, stderr, before.exit_code)

    def status(self, domain: str) -> DaemonStatus:
        """Return the status of a domain's daemon. Raises: UnknownDomain."""
        daemon = self._daemons.get(self._find(domain).domid)
        if daemon is None:
            return DaemonStatus("stopped")
        pid = daemon.directory.lock_pid()
        return DaemonStatus("running" if daemon.is_enabled else "paused", pid)

    # -- from the service ------------------------------------------------------------------

    def pump(self) -> None:
        """Take the kernels' samples for their daemons; called often."""
        for daemon in self._daemons.values():
            daemon.pump()
        self._owed.look(self._host.now_ns)

    def close(self) -> None:
        """Stop counting, write all samples, and end every daemon.

        Raises: StoreError with all failures, after every step has been tried.
        """
        answer = Answer()
        for daemon in self._daemons.values():
            daemon.is_ending = True
        if primary := self._daemons.get(DOMAIN_0_ID):
            self._disable(primary, answer)
        for domid in sorted(self._daemons, reverse=True):
            daemon = self._daemons[domid]
            self._dump(daemon, answer)
            self._kill(daemon, answer)
        for session in self._owed.left():
            answer.fail(f"{session}: what it has lost could not be noted")
        if answer.exit_code:
            raise StoreError(str(self._home), "; ".join(answer.outcome().stderr))

    def domain_gone(self, domid: int) -> None:
        """End the daemon of a domain that was destroyed, and write the samples it has taken."""
        if (daemon := self._daemons.pop(domid, None)) is None:
            return
        answer = Answer()
        try:
            self._write_last(daemon, answer)
        except (HostError, XenprofError) as error:
            answer.fail(str(error))
        for line in answer.outcome().stderr:
            daemon.log(f"the domain was destroyed: {line}")
        self._store.call(daemon.directory.unlock)

    def domain_renamed(self, old: str, new: str) -> None:
        """Move the daemon of a renamed domain to its new root."""
        for daemon in self._daemons.values():
            if daemon.domain == old:
                daemon.renamed(new)

    # -- steps -----------------------------------------------------------------------------

    def _find(self, domain: str) -> DomainSnapshot:
        return self._host.telemetry.snapshot().find(domain)

    def _running(self, domain: str, answer: Answer) -> RunningDaemon | None:
        daemon = self._daemons.get(self._find(domain).domid)
        if daemon is None:
            answer.note("Daemon not running")
        return daemon

    def _check_driver(self, target: DomainSnapshot, answer: Answer) -> bool:
        try:
            self._profiler.oprofile(target.name)
        except Refused as error:
            answer.fail("Kernel doesn't support oprofile", str(error))
            return False
        return True

    def _start_daemon(
        self, target: DomainSnapshot, setup: Setup, answer: Answer
    ) -> RunningDaemon | None:
        daemon = self._daemons.get(target.domid)
        if daemon is not None:
            refuse_other_lists(setup, daemon.setup, answer)
            return None if answer.exit_code else daemon
        if not self._check_driver(target, answer):
            return None
        primary = self._daemons.get(DOMAIN_0_ID)
        self._owed.retry()
        daemon = start_daemon(
            self._host, self._home, target.name, setup, self._store, primary, answer
        )
        if daemon is None:
            return None
        if owed := self._owed.take(daemon.directory):
            daemon.inherit(owed)
        self._daemons[target.domid] = daemon
        if target.domid == DOMAIN_0_ID:
            for other in self._daemons.values():
                other.is_outdated = other is not daemon
            self._awaits_start = not self._strict and bool(self._others())
        elif primary is not None and primary.is_enabled:
            daemon.unseen.begin(self._host.telemetry.snapshot())
        return daemon

    def _others(self) -> list[int]:
        """Return the ids of the active domains except domain 0, from its driver."""
        active = parse_domains(self._daemons[DOMAIN_0_ID].driver.read("active_domains"))
        return [domid for domid in active if domid != DOMAIN_0_ID]

    def _missing(self) -> list[str]:
        """Return the listed domains that have not run --start in this session."""
        names = {domain.domid: domain.name for domain in self._host.telemetry.snapshot().domains}
        missing = []
        for domid in self._others():
            daemon = self._daemons.get(domid)
            if daemon is None or daemon.is_outdated or not daemon.is_enabled:
                missing.append(names.get(domid, f"domain {domid}, which is gone"))
        return missing

    def _enable(self, daemon: RunningDaemon, answer: Answer) -> bool:
        try:
            daemon.driver.write("enable", "1")
        except OprofilefsError as error:
            answer.refuse("enable", error)
            if daemon.domid == DOMAIN_0_ID and (missing := self._missing()):
                answer.fail(f"run opcontrol --start in {', '.join(missing)} first, then here again")
            return False
        daemon.is_enabled = True
        if daemon.domid == DOMAIN_0_ID:
            self._awaits_start = False
            snapshot = self._host.telemetry.snapshot()
            for each in self._daemons.values():
                each.unseen.begin(snapshot)
        return True

    def _start_counting(self, answer: Answer) -> None:
        """Start counting if all domains have run --start; otherwise say which are missing."""
        primary = self._daemons.get(DOMAIN_0_ID)
        if primary is not None and primary.is_enabled:
            return
        if primary is None or not self._awaits_start:
            answer.note("nothing is counted until domain 0 runs opcontrol --start")
        elif missing := self._missing():
            answer.note(f"counting starts when {', '.join(missing)} has run opcontrol --start")
        elif self._enable(primary, answer):
            answer.note(
                "counting has started in all active domains; "
                "real Xen waits for opcontrol --start in domain 0"
            )

    def _disable(self, daemon: RunningDaemon, answer: Answer) -> None:
        if daemon.domid == DOMAIN_0_ID:
            self._awaits_start = False
        if not daemon.is_enabled:
            return
        answer.say("Stopping profiling.")
        try:
            daemon.driver.write("enable", "0")
        except OprofilefsError as error:
            answer.refuse("enable", error)
            return
        daemon.is_enabled = False
        if daemon.domid == DOMAIN_0_ID:
            if not self._strict:
                self._drain(answer)
            snapshot = self._host.telemetry.snapshot()
            for each in self._daemons.values():
                each.unseen.end(snapshot)

    def _drain(self, answer: Answer) -> None:
        """Have all kernels read what is left in Xen's rings, which 3.0.3 leaves there."""
        for daemon in self._daemons.values():
            with suppress(OprofilefsError):
                daemon.driver.write("drain", "1")
        self._dump(self._daemons[DOMAIN_0_ID], answer)

    def _dump(self, daemon: RunningDaemon, answer: Answer) -> bool:
        """Have everything read and written; return whether the session's notes are written."""
        driver = daemon.driver
        try:
            driver.write("dump", "1")
        except OprofilefsError as error:
            answer.refuse("dump", error)
        wanted = daemon.taken + driver.pending()

        def is_drained() -> bool:
            daemon.pump()
            return driver.pending() == 0 or daemon.taken >= wanted

        if not is_drained() and not self._host.advance_until(is_drained, DUMP_LIMIT_NS):
            answer.fail("Unable to complete dump of oprofile data: is the oprofile daemon running?")
            domains = self._host.telemetry.snapshot().domains
            if any(one.domid == daemon.domid and one.paused for one in domains):
                answer.fail(
                    f"domain {daemon.domain} is paused and its daemon with it: xm unpause it first"
                )
        is_noted = flush(daemon, answer)
        self._owed.retry()
        return is_noted

    def _kill(self, daemon: RunningDaemon, answer: Answer) -> None:
        """End a daemon: take its domain off the list if Xen counts, close the buffer, write all."""
        primary = self._daemons.get(DOMAIN_0_ID)
        if daemon is not primary and primary is not None and primary.is_enabled:
            self._leave(daemon, answer)
        try:
            daemon.close_buffer()
        except OprofilefsError as error:
            answer.fail(f"/dev/oprofile/buffer: {error.errno_text}: {error}")
        self._write_last(daemon, answer)
        daemon.log_statistics()
        self._store.call(daemon.directory.unlock)
        del self._daemons[daemon.domid]

    def _write_last(self, daemon: RunningDaemon, answer: Answer) -> None:
        daemon.pump()
        is_noted = flush(daemon, answer)
        if lost := daemon.give_up():
            answer.fail(f"{lost} samples are lost, since they could not be written")
        if lost or not is_noted:
            self._owed.write(daemon.dump_end())

    def _leave(self, daemon: RunningDaemon, answer: Answer) -> None:
        """Remove a domain from the active list while Xen counts, which real Xen refuses."""
        if self._strict:
            answer.fail(
                f"Xen goes on sampling {daemon.domain}, and nobody reads the samples: "
                "disable_virq is refused while it counts; run opcontrol --stop in domain 0 first"
            )
            return
        try:
            daemon.driver.write("leave", "1")
        except OprofilefsError as error:
            answer.refuse("leave", error)
        else:
            self._dump(daemon, answer)

    def _change_session(self, domain: str, name: str | None, setup: Setup | None) -> Outcome:
        """Dump, then save the current session, or delete it (None)."""
        answer = Answer()
        target = self._find(domain)
        daemon = self._daemons.get(target.domid)
        if daemon is not None:
            dumped = Answer()
            is_noted = self._dump(daemon, dumped)
            if name is not None or not daemon.held:  # otherwise nothing is kept for later
                answer.take(dumped)
            directory = daemon.directory
        else:
            directory = session_dir(self._home, target.name, setup or Setup())
            is_noted = self._owed.settle(directory, is_deleted=name is None)
        if is_noted or (daemon is not None and name is None):
            answer.take(change_session(directory, daemon, self._store, name))
        else:
            answer.fail(CANNOT_SAVE)
        return answer.outcome()
