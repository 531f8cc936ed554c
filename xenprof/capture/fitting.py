"""Fits a scenario to what a host did: draws it, runs it in the model, compares, adjusts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from xenprof.capture.domaintable import Sheet, draw
from xenprof.capture.draft import Note, Settings, toml
from xenprof.capture.window import DomainUse, Window
from xenprof.capture.work import Work, never_sleeps, work_of

ATTEMPTS = 5
GOOD_ENOUGH = 0.005  # of a pcpu
EASINGS = 3
TOO_MUCH = 0.03
STARVED = 0.05  # of a pcpu that it would use, and did not get (judgement)
EASED = "computes all the time, but would get more here than there: it sleeps in between"

Trial = Callable[[str], Window]
"""Runs a scenario in the model and returns what it did."""


@dataclass(frozen=True, slots=True)
class Row:
    """The processor time of one domain on the host and in the model, in parts of a pcpu."""

    name: str
    """What the scenario calls it."""
    domid: int
    """On the host."""
    host_name: str
    measured: float | None
    modelled: float

    @property
    def error(self) -> float | None:
        """Return the model's share less the measured one."""
        return None if self.measured is None else self.modelled - self.measured


@dataclass(frozen=True, slots=True)
class Captured:
    """A scenario, how well it fits, and what it could not have."""

    text: str
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The work of processors by the model's domid, and what came of it."""

    works: Mapping[int, Work]
    rows: tuple[Row, ...]
    demands: Mapping[int, tuple[float, float]]
    """What starved domains that only burst would use, measured and in the model.

    Their shares tell nothing of this: they get what others leave.
    """

    @property
    def worst(self) -> float:
        errors = [row.error or 0 for row in self.rows]
        errors += [modelled - measured for measured, modelled in self.demands.values()]
        return max(map(abs, errors), default=0.0)


def capture(window: Window, trial: Trial) -> Captured:
    """Return the scenario of a host. The same window and the same trials give the same text."""
    sheet = draw(window)
    idle = trial(_text(sheet, {})).uses()
    works, notes = _first(sheet, idle)
    best = attempt = _fitted(sheet, works, trial)
    for _ in range(EASINGS):
        eager = _too_eager(attempt)
        if not eager:
            break
        attempt = _fitted(sheet, _eased(attempt, eager), trial)
        if attempt.worst < best.worst:
            best = attempt
    notes += [
        Note(sheet.names[domid], EASED)
        for domid, work in works.items()
        if work.hogs and not best.works[domid].hogs
    ]
    told = (*sheet.notes, *notes)
    head = (*_head(window), *_told(told), "", *_table(best.rows))
    return Captured(_text(sheet, best.works, head), best.rows, told)


def _fitted(sheet: Sheet, works: Mapping[int, Work], trial: Trial) -> _Attempt:
    """Return the best of a few attempts, each of which adjusts the bursts of the one before."""
    best = attempt = _tried(sheet, works, trial)
    for _ in range(ATTEMPTS - 1):
        if best.worst <= GOOD_ENOUGH:
            break
        attempt = _tried(sheet, _adjusted(attempt), trial)
        if attempt.worst < best.worst:
            best = attempt
    return best


def _too_eager(attempt: _Attempt) -> list[int]:
    """Return the domains that compute all the time and get far more of it than on the host."""
    found = zip(attempt.works.items(), attempt.rows, strict=True)
    return [domid for (domid, work), row in found if work.hogs and (row.error or 0) > TOO_MUCH]


def _eased(attempt: _Attempt, eager: Sequence[int]) -> Mapping[int, Work]:
    rows = dict(zip(attempt.works, attempt.rows, strict=True))
    return {
        domid: work.eased(rows[domid].measured or 0) if domid in eager else work
        for domid, work in attempt.works.items()
    }


def _first(sheet: Sheet, idle: Sequence[DomainUse]) -> tuple[dict[int, Work], list[Note]]:
    """Return the first fit. `idle` is what the domains of the model do for their devices alone."""
    works: dict[int, Work] = {}
    notes: list[Note] = []
    for domid, (use, name) in enumerate(zip(sheet.uses, sheet.names, strict=True)):
        if use is not None:
            base = idle[domid]
            works[domid], told = work_of(use, base.share or 0, base.wakes_per_second, name)
            notes += told
    if any(work.settings() and work.program is None for work in works.values()):
        notes.append(Note("programs", "what they execute is unknown: the defaults"))
    return works, notes


def _tried(sheet: Sheet, works: Mapping[int, Work], trial: Trial) -> _Attempt:
    model = trial(_text(sheet, works)).uses()
    demands: dict[int, tuple[float, float]] = {}
    for domid, use in enumerate(sheet.uses):
        if use is not None and works[domid].bursts and not never_sleeps(use):
            measured, modelled = use.demand, model[domid].demand
            if measured is None or modelled is None:
                continue
            if measured > STARVED + (use.share or 0):
                demands[domid] = measured, modelled
    rows = (
        Row(name, use.domain.domid, use.domain.name, use.share, model[domid].share or 0)
        for domid, (use, name) in enumerate(zip(sheet.uses, sheet.names, strict=True))
        if use is not None
    )
    return _Attempt(works, tuple(rows), demands)


def _adjusted(attempt: _Attempt) -> Mapping[int, Work]:
    rows = dict(zip(attempt.works, attempt.rows, strict=True))
    adjusted: dict[int, Work] = {}
    for domid, work in attempt.works.items():
        if domid in attempt.demands:
            measured, modelled = attempt.demands[domid]
            adjusted[domid] = work.adjusted(measured - modelled, measured)
        else:
            adjusted[domid] = work.adjusted(-(rows[domid].error or 0), work.bursting)
    return adjusted


def _text(sheet: Sheet, works: Mapping[int, Work], head: Sequence[str] = ()) -> str:
    settings: dict[int, tuple[Settings, ...]] = {
        domid: work.settings() for domid, work in works.items()
    }
    return toml(head, sheet.draft, settings)


def _head(window: Window) -> Sequence[str]:
    at = datetime.fromtimestamp(window.last.unix_ns // 10**9, UTC)
    return (
        f"Captured by xenprof capture-scenario: {window.elapsed_ns / 1e9:.1f} s until "
        f"{at:%Y-%m-%d %H:%M:%S} UTC.",
        "",
    )


def _told(notes: Sequence[Note]) -> Sequence[str]:
    always = (
        "Traffic between domains of the host and what programs keep in memory cannot be seen:",
        "all streams go to the outside, and programs keep nothing.",
    )
    if not notes:
        return always
    return (*always, "Unknown, or not as on the host:", *(f"  {note}" for note in notes))


def _table(rows: Sequence[Row]) -> Sequence[str]:
    lines = ["CPU in percent of one pcpu, on the host and in the model:"]
    for row in rows:
        measured = "unknown" if row.measured is None else f"{100 * row.measured:.1f}"
        lines.append(f"  {row.name}: {measured}, {100 * row.modelled:.1f}")
    return lines
