"""Helpers of the tests of sessions: setups, and the contents of session directories."""

from dataclasses import replace
from pathlib import Path

from tests.support.fake_host import (
    KERNEL_END,
    KERNEL_START,
    VMLINUX,
)
from xenprof.events import EventSetting
from xenprof.home import domain_root
from xenprof.store.sessiondir import SessionDir, read_profile
from xenprof.wire.opcontrol import Setup

SECOND = 1_000_000_000
SETUP = Setup(vmlinux=VMLINUX, kernel_range=(KERNEL_START, KERNEL_END))
ALL = replace(SETUP, active_domains="0,1,2")
CYCLES = EventSetting("GLOBAL_POWER_EVENTS", 100000, 1)
RETIRED = EventSetting("INSTR_RETIRED", 100000, 1)
STARTED = (
    "Using default event: GLOBAL_POWER_EVENTS:100000:1:1:1",
    "Using 2.6+ OProfile kernel interface.",
    "Reading module info.",
    "Using log file /var/lib/oprofile/samples/oprofiled.log",
    "Daemon started.",
)


def directory(home: Path, domain: str = "Domain-0") -> SessionDir:
    return SessionDir(domain_root(home, domain) / "var/lib/oprofile")


def total(home: Path, domain: str = "Domain-0", session: str = "current") -> int:
    return sum(file.total for file in read_profile(directory(home, domain).path, session).files)


def unseen(home: Path, domain: str = "Domain-0") -> dict[str, str]:
    text = (directory(home, domain).current / "stats/xenprof_unseen").read_text()
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in text.splitlines()}


def recipe_start(sessions):
    """Do steps 4 and 5 of the talk's recipe, which never runs --start in domain 0."""
    sessions.start_daemon("Domain-0", ALL)
    return [sessions.start(domain, SETUP) for domain in ("web", "db")]
