"""Declares a piece of advice, and the change of a scenario that shows what it would bring."""

from dataclasses import dataclass
from typing import Literal

from xenprof.experiment.measures import Measure

Strength = Literal["do", "consider", "check"]
Value = object
"""What stands behind a key of a scenario: a number, a text, a list, a table."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A value that was seen. Numbers have a unit."""

    name: str
    value: float | str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """What to type, as it stands, and where: in a domain, or in a place of a file.

    Words in capitals are to be filled in: what nobody but the owner of the host can know.
    """

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure of a domain by which the effect of advice is seen."""

    name: str
    domain: str
    unit: str
    measure: Measure
    is_more_better: bool = False
    is_moved: bool = False
    """Some places are of the host as it is, others of the host as it would be."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a scenario and its value, or with `is_added` one more entry of a list.

    A step of the path is a key, the name of a domain, the number of an interface, or the name of
    a disk in its domain. `before` are the entries that a list has if the scenario has none. With
    `taken_from` the value is what stands there.
    """

    path: tuple[str, ...]
    value: Value = None
    is_added: bool = False
    before: tuple[Value, ...] = ()
    taken_from: tuple[str, ...] = ()
    is_part: bool = False
    """The value is KEY=WORD, and becomes a part of an entry of several."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would be done, in terms of the host's scenario, and where the effect is looked for.

    `first` is set in both hosts, the one that is and the one that would be.
    """

    settings: tuple[Setting, ...]
    gauges: tuple[Gauge, ...]
    first: tuple[Setting, ...] = ()
    helped: tuple[str, ...] = ()
    """The domains that it is for; all others are neighbours."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, to consider or to check.

    `do` is empty where xapi manages the host, whose xe has words of its own. `where` is the domain,
    device or pcpu. Without a `change` nothing can be measured, and `unmeasured` says why.
    """

    id: str
    title: str
    do: tuple[Command, ...]
    where: str
    why: str
    slide: str
    strength: Strength
    rests_on: tuple[Observed, ...] = ()
    change: Change | None = None
    unmeasured: str = ""
