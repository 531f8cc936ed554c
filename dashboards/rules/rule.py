"""Declares what a recording rule and an alert are."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody should look."""

    CRITICAL = "critical"  # now: guests do not work
    WARNING = "warning"  # today: guests are slower than they should be, or soon will be
    INFO = "info"  # when there is time: it explains what others see


class Unit(StrEnum):
    """How the value of an alert is written, as a template of Prometheus."""

    RATIO = "{{ $value | humanizePercentage }}"
    SECONDS = "{{ $value | humanizeDuration }}"
    PER_SECOND = '{{ printf "%.1f" $value }} per second'
    COUNT = '{{ printf "%.0f" $value }}'


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule. `name` is xen:LEVEL_WHAT:OPERATIONS; `meaning` is for the documents."""

    name: str
    meaning: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert and its runbook.

    In texts, `$domain` stands for the label `domain` of the alert (any label likewise) and
    `$value` for its value. `look` and `act` are commands to type, with what they show or do.
    """

    name: str
    severity: Severity
    for_minutes: int
    unit: Unit
    expr: str
    summary: str
    meaning: str
    cause: str
    threshold: str
    """Where the figures in `expr` come from: practice, or our own judgement."""
    queries: tuple[str, ...]
    look: tuple[tuple[str, str], ...]
    act: tuple[tuple[str, str], ...]
    """What may help, the likeliest first; without a command, what to do in words."""
    helped: str
    """What holds for the labels of the alert as soon as it does not fire, and not before."""

    @property
    def command(self) -> str:
        """Return the command to type first: the one that shows the cause."""
        return self.look[0][0]

    @property
    def anchor(self) -> str:
        """Return the fragment of its section in the runbooks."""
        return self.name.lower()


def nothing_of(expr: str) -> str:
    """Return what holds while the host of an alert is read and `expr` finds nothing on it."""
    return f'xen_host_up{{host="$host"}} == 1 unless on (host) ({expr})'


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast rules see a change. `window_s` is the range of rates, 300 s as they are written.

    All other times, those for which a condition must hold too, shrink or grow with it. Records keep
    their names, rate5m, so that runbooks and queries that people have written hold at any pace.
    """

    window_s: int = 300

    def seconds(self, minutes: int) -> int:
        """Return what so many minutes of the tables last at this pace."""
        return minutes * self.window_s // 5

    def paced(self, promql: str) -> str:
        """Return an expression of the tables at this pace. Names of records in it stay."""
        return re.sub(
            r"(?P<before>\[|offset )(?P<minutes>\d+)m\b",
            lambda found: found["before"] + duration(self.seconds(int(found["minutes"]))),
            promql,
        )


AS_WRITTEN = Pace()


def duration(seconds: int) -> str:
    """Return a duration as Prometheus writes it: 5m, 90s."""
    return f"{seconds}s" if seconds % 60 or not seconds else f"{seconds // 60}m"
