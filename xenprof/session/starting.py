"""Starts a daemon: control files, buffer, lock; reports the step that is refused."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypervisor.errors import OprofilefsError
from hypervisor.host import Host, OprofileDriver, profiler_of
from xenprof.errors import EventError, StoreError, XenprofError
from xenprof.events import EventSetting, assign_counters, cpu_type, default_event, events
from xenprof.home import DOMAIN_0_ID
from xenprof.oprofiled.log import LogFile
from xenprof.session.answer import Answer
from xenprof.session.buffers import Load, changed_sizes, restore, sized
from xenprof.session.daemon import RunningDaemon, daemon_config, parse_domains, session_dir
from xenprof.session.store import StoreThread
from xenprof.wire.opcontrol import Setup


def start_daemon(
    host: Host,
    home: Path,
    domain: str,
    setup: Setup,
    store: StoreThread,
    primary: RunningDaemon | None,
    answer: Answer,
) -> RunningDaemon | None:
    """Start the daemon of `domain`; return None if a step is refused, which `answer` reports.

    `primary` is domain 0's daemon, whose events the counters really count.
    Raises: UnknownDomain, Refused (no driver in this domain).
    """
    driver = profiler_of(host).oprofile(domain)
    directory = session_dir(home, domain, setup)
    setup = _with_events(driver, setup, primary, answer)
    if setup.callgraph_depth and not _can_walk(driver):
        answer.fail("Call-graph profiling unsupported on this kernel/hardware")
        return None
    asked, setup = setup, _with_buffers(host, driver, domain, setup, primary)
    sizes = changed_sizes(driver, asked, setup)
    try:
        counters = _assign(driver, setup)
        if directory.lock_pid() is not None:  # left over, as no daemon is running
            answer.note("Detected stale lock file. Removing.")
            store.call(directory.unlock)
        store.call(lambda: directory.create(store.disk))
        _write_controls(driver, setup, counters)
        labels = _labels(driver, setup, counters, primary, answer)
        config = daemon_config(driver, setup, labels)
    except _WriteRefusedError as refused:
        restore(driver, sizes)
        answer.refuse(refused.name, refused.error)
        return None
    except (EventError, StoreError) as error:
        restore(driver, sizes)
        answer.fail(str(error))
        return None
    log_path = f"{directory.shown}/samples/oprofiled.log"
    answer.say("Using 2.6+ OProfile kernel interface.")
    if setup.vmlinux is not None:
        answer.say("Reading module info.")
    try:
        driver.open_buffer()
    except OprofilefsError as error:
        restore(driver, sizes)
        reason = f"Failed to open profile device: {error.errno_text}"
        log = LogFile(directory.log_path)
        store.submit(lambda: log.write(reason))
        answer.fail(reason, str(error))
        answer.fail("Couldn't start oprofiled.")
        answer.fail(f'Check the log file "{log_path}" and kernel syslog')
        return None
    try:
        store.call(lambda: directory.lock(os.getpid()))
    except StoreError as error:
        driver.close_buffer()
        restore(driver, sizes)
        answer.fail(str(error), "Couldn't start oprofiled.")
        return None
    answer.say(f"Using log file {log_path}", "Daemon started.")
    return RunningDaemon(host, home, domain, driver, config, setup, counters, store, sizes)


def refuse_other_lists(asked: Setup, running: Setup, answer: Answer) -> None:
    """Report each list of domains that differs from that of the running daemon."""
    for option, new, old in (
        ("--active-domains", asked.active_domains, running.active_domains),
        ("--passive-domains", asked.passive_domains, running.passive_domains),
    ):
        if new is not None and new != old:
            answer.fail(
                f"{option}={new} is ignored: the daemon runs with "
                f"{old or 'none'}; run opcontrol --shutdown first"
            )


class _WriteRefusedError(XenprofError):
    def __init__(self, name: str, error: OprofilefsError) -> None:
        super().__init__(name)
        self.name = name
        self.error = error


def _with_events(
    driver: OprofileDriver, setup: Setup, primary: RunningDaemon | None, answer: Answer
) -> Setup:
    """Return the setup with events, by default those of domain 0 or of the processor."""
    cpu = driver.read("cpu_type")
    if setup.events or not events(cpu):  # the timer has no events
        return setup
    default = (default_event(cpu),)
    chosen = primary.setup.events if primary is not None else default
    if chosen == default:
        answer.say(f"Using default event: {default[0].text}")
    else:
        answer.note(f"using the events of domain 0: {', '.join(event.text for event in chosen)}")
    return replace(setup, events=chosen)


def _with_buffers(
    host: Host, driver: OprofileDriver, domain: str, setup: Setup, primary: RunningDaemon | None
) -> Setup:
    """Return the setup with buffers for what the counters count, which are domain 0's."""
    snapshot = host.telemetry.snapshot()
    vcpus = {one.domid: len(one.vcpus) for one in snapshot.domains}
    passive = parse_domains(setup.passive_domains or "")
    load = Load(
        mhz=float(driver.read("cpu_mhz")),
        vcpus=len(snapshot.find(domain).vcpus),
        passive_vcpus=sum(vcpus.get(domid, 0) for domid in passive),
        pcpus=len(snapshot.pcpus),
    )
    counted = primary.setup.events if primary is not None else setup.events
    return replace(sized(replace(setup, events=counted), load), events=setup.events)


def _assign(driver: OprofileDriver, setup: Setup) -> tuple[int, ...]:
    return assign_counters(driver.read("cpu_type"), setup.events) if setup.events else ()


def _write_controls(driver: OprofileDriver, setup: Setup, counters: tuple[int, ...]) -> None:
    """Write the control files in opcontrol's order. Raises: _WriteRefusedError."""
    for name, value in _controls(driver, setup, counters):
        try:
            driver.write(name, value)
        except OprofilefsError as error:
            raise _WriteRefusedError(name, error) from None
    for counter, event in zip(counters, setup.events, strict=True):
        with suppress(OprofilefsError):  # the model's own file, a name for metrics
            driver.write(f"{counter}/name", event.name)


def _can_walk(driver: OprofileDriver) -> bool:
    """Return whether the kernel can record call stacks, in opcontrol's way."""
    try:
        driver.read("backtrace_depth")
    except OprofilefsError:
        return False
    return True


def _controls(
    driver: OprofileDriver, setup: Setup, counters: tuple[int, ...]
) -> list[tuple[str, str]]:
    cpu = driver.read("cpu_type")
    controls = [
        (name, str(value))
        for name, value in (
            ("buffer_size", setup.buffer_size),
            ("buffer_watershed", setup.buffer_watershed),
            ("cpu_buffer_size", setup.cpu_buffer_size),
        )
        if value
    ]
    if _can_walk(driver):
        controls.append(("backtrace_depth", str(setup.callgraph_depth)))
    if setup.active_domains is not None:
        controls.append(("active_domains", setup.active_domains))
    if setup.passive_domains is not None:
        controls.append(("passive_domains", setup.passive_domains))
    if not events(cpu):
        return controls
    chosen = dict(zip(counters, setup.events, strict=True))
    for counter in range(cpu_type(cpu).counters):
        event = chosen.get(counter)
        controls.append((f"{counter}/enabled", str(int(event is not None))))
        if event is not None:
            controls += [
                (f"{counter}/event", str(events(cpu)[event.name].number)),
                (f"{counter}/count", str(event.count)),
                (f"{counter}/kernel", str(int(event.kernel))),
                (f"{counter}/user", str(int(event.user))),
                (f"{counter}/unit_mask", str(event.unit_mask)),
            ]
    return controls


def _labels(
    driver: OprofileDriver,
    setup: Setup,
    counters: tuple[int, ...],
    primary: RunningDaemon | None,
    answer: Answer,
) -> Mapping[int, EventSetting]:
    """Return the event under which each counter's samples are stored.

    Domain 0 programs the counters, so they count its events, whatever list another domain has.
    """
    if not events(driver.read("cpu_type")):
        return {0: EventSetting("TIMER", 0, 0)}
    if primary is None or int(driver.read("domid")) == DOMAIN_0_ID:
        return dict(zip(counters, setup.events, strict=True))
    counted = primary.setup.events
    if setup.events != counted:
        texts = ", ".join(event.text for event in counted)
        answer.note(f"domain 0 counts {texts}: so does this domain, whatever its own events are")
    return dict(zip(primary.counters, counted, strict=True))
