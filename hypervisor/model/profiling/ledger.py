"""Counts the samples and losses of each life of a domain; the counts never go down.

A life is a domain from its creation to its end, known by id and uuid: another with its name, or
with its uuid after a reboot, counts from zero.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from hypervisor.model.codebook.events import MEASURES, event_kind
from hypervisor.model.domain.domain import Domain
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.driver import GuestDriver
from hypervisor.model.profiling.xenoprof import Xenoprof
from hypervisor.telemetry import LostCount, Mode, SampleCount

MOST_ENDED = 256
"""The lives that have ended of which counts are kept, the last ones (judgement)."""


class Profiled(Protocol):
    """A domain and its driver, None for an HVM guest."""

    @property
    def domain(self) -> Domain:
        """Return the domain."""
        ...

    @property
    def driver(self) -> GuestDriver | None:
        """Return the domain's driver."""
        ...


class Ended:
    """A life that has ended: its name and uuid, and its counts."""

    def __init__(
        self, name: str, uuid: str, logged: list[SampleCount], lost: dict[str, int]
    ) -> None:
        self.name = name
        self.uuid = uuid
        self.logged = logged
        self.lost = lost  # by reason; what the domain's daemon has not told may still come


class SampleLedger:
    """Keeps counts over all sessions, and those of an ended life until its id is given again.

    Of ended lives only the last ones are kept, so that a domain that crashes for months costs no
    more than one that has crashed for hours.
    """

    def __init__(
        self, xenoprof: Xenoprof, residents: Mapping[int, Profiled], cpu_type: str
    ) -> None:
        """`residents`: the live domains."""
        self._cpu_type = cpu_type
        self._xenoprof = xenoprof
        self._residents = residents
        self._above: dict[int, dict[str, int]] = {}  # by domid, reason: lost above the drivers
        self._ended: dict[int, Ended] = {}  # by domid, in the order of their ends

    def count(self, domid: int, lost: Mapping[str, int]) -> None:
        """Add losses by reason to a live domain, else to the last one that had the id."""
        if domid in self._residents:
            counts = self._above.setdefault(domid, {})
        elif domid in self._ended:
            counts = self._ended[domid].lost
        else:
            return  # it has ended long ago
        for reason, samples in lost.items():
            counts[reason] = counts.get(reason, 0) + samples

    def domain_gone(self, domain: Domain) -> None:
        """Count the samples that are lost with a domain that is being destroyed."""
        domid = domain.domid
        driver = self._residents[domid].driver
        pending = driver.pending() if driver is not None else 0
        unread = self._xenoprof.forget(domid)
        self.count(domid, {"domain_destroyed": pending + unread})
        self._ended.pop(domid, None)
        logged = [row for row in self.logged() if row.domid == domid]
        self._ended[domid] = Ended(domain.name, domain.uuid, logged, self._lost_of(domain))
        while len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._above.pop(domid, None)
        self._xenoprof.tally.forget(domid)

    def logged(self) -> tuple[SampleCount, ...]:
        """Return the samples that the hypervisor has logged."""
        rows: dict[tuple[int, Mode, str], SampleCount] = {}
        for domid, config, by_mode in sorted(self._xenoprof.tally.settings(), key=_domid):
            for mode in Mode:
                if by_mode[mode]:
                    row = self._row(domid, config, mode, by_mode[mode])
                    key = (domid, mode, row.event)
                    rows[key] = _sum(rows[key], row) if key in rows else row
        all_rows = list(rows.values())
        for ended in self._ended.values():
            all_rows += ended.logged
        return tuple(all_rows)

    def _row(self, domid: int, config: CounterConfig, mode: Mode, samples: int) -> SampleCount:
        domain = self._residents[domid].domain
        kind = event_kind(self._cpu_type, config.event, config.unit_mask)
        return SampleCount(
            domain.name, mode, config.name, samples, domid, domain.uuid,
            samples * config.count, None if kind is None else MEASURES.get(kind),
        )  # fmt: skip

    def lost(self) -> tuple[LostCount, ...]:
        """Return the losses by name; of several lives with one name the last is last."""
        lives = [(one.name, domid, one.uuid, one.lost) for domid, one in self._ended.items()]
        for domid, resident in self._residents.items():
            domain, lost = resident.domain, self._lost_of(resident.domain)
            if any(lost.values()):
                lives.append((domain.name, domid, domain.uuid, lost))
        rows: list[LostCount] = []
        for name, domid, uuid, lost in sorted(lives, key=_name):
            rows += [
                LostCount(name, reason, samples, domid, uuid)
                for reason, samples in sorted(lost.items())
                if samples
            ]
        return tuple(rows)

    def _lost_of(self, domain: Domain) -> dict[str, int]:
        """Return the losses of a live domain by reason."""
        domid, tally = domain.domid, self._xenoprof.tally
        lost = dict(self._above.get(domid, {}))
        below = {"ring_full": tally.ring_full, "never_read": tally.never_read}
        for reason, counts in below.items():
            if domid in counts:
                lost[reason] = lost.get(reason, 0) + counts[domid]
        driver = self._residents[domid].driver
        if driver is not None:
            for reason, samples in driver.losses().items():
                lost[reason] = lost.get(reason, 0) + samples
        return lost


def _domid(counted: tuple[int, CounterConfig, list[int]]) -> int:
    return counted[0]


def _sum(one: SampleCount, other: SampleCount) -> SampleCount:
    """Return the counts of two settings of one event, which may not measure the same."""
    return replace(
        one,
        samples=one.samples + other.samples,
        counted=(one.counted or 0) + (other.counted or 0),
        measures=one.measures if one.measures == other.measures else None,
    )


def _name(life: tuple[str, int, str, dict[str, int]]) -> str:
    return life[0]
