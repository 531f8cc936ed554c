"""Fits the work of processors: vcpus that compute all the time, and bursts with sleep between."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xenprof.capture.draft import Note, Settings, Value
from xenprof.capture.window import MOST_VCPUS, DomainUse, VcpuUse

SATURATED = 0.97  # of the time that a vcpu wants to run: then it always wants to
SATURATED_IF_HELD = 0.9  # as the times of one that is often held back may be sampled
OFTEN_HELD = 0.1
AT_THE_CAP = 0.97
LEAST_SHARE = 0.002  # of a pcpu; less is left to the guest's kernel
UNKNOWN_PERIOD_MS = 40.0  # judgement
_PERIODS_MS = (2.0, 1_000.0)
_LEAST_RUN_MS = 0.001
_ODDS = (1e-4, 1e3)
_STEP = 4.0  # of odds, at most, at one time
_PROGRAMS = ((0.9, "linpack"), (0.7, "mysqld"), (0.0, "httpd"))
# By the least part of time in user mode: hypervisor/model/codebook/costs.toml.


@dataclass(frozen=True, slots=True)
class Burst:
    """A program that runs and sleeps. `odds` is run time to sleep time."""

    odds: float
    period_ms: float


@dataclass(frozen=True, slots=True)
class Work:
    """What the processors of one domain do, besides the work of its devices."""

    hogs: int = 0
    bursts: tuple[Burst, ...] = ()
    bursting: float = 0.0
    """The part of a pcpu that all bursts together shall have."""
    program: str | None = None

    def settings(self) -> tuple[Settings, ...]:
        """Return the workloads of a scenario."""
        program: dict[str, Value] = {"program": self.program} if self.program else {}
        works: list[Settings] = []
        if self.hogs:
            hogs: dict[str, Value] = {"kind": "cpu", "threads": self.hogs}
            works.append(hogs | program | {"memory_mib": 0})
        for burst in self.bursts:
            run_ms = burst.period_ms * burst.odds / (1 + burst.odds)
            bursts: dict[str, Value] = {
                "kind": "burst",
                "run_ms": max(round(run_ms, 3), _LEAST_RUN_MS),
                "sleep_ms": max(round(burst.period_ms - run_ms, 3), _LEAST_RUN_MS),
                "jitter": 0.5,
                "awaits": "event",
            }
            works.append(bursts | program | {"memory_mib": 0})
        return tuple(works)

    def adjusted(self, missing: float, wanted: float) -> "Work":
        """Return the work with more or less in the bursts.

        `missing` of `wanted`, what all bursts should have, are parts of a pcpu.
        """
        if not self.bursts:
            return self
        each = wanted / len(self.bursts)
        factor = _odds(each) / _odds(each - missing / len(self.bursts))
        factor = min(max(factor, 1 / _STEP), _STEP)
        bursts = tuple(replace(one, odds=_bounded(one.odds * factor)) for one in self.bursts)
        return replace(self, bursts=bursts)

    def eased(self, share: float) -> "Work":
        """Return the work with bursts in place of what computes all the time, for this share."""
        odds = _bounded(_odds(share / (self.hogs + len(self.bursts))))
        bursts = (*self.bursts, *[Burst(odds, UNKNOWN_PERIOD_MS)] * self.hogs)
        return replace(self, hogs=0, bursts=bursts, bursting=share)


def work_of(
    use: DomainUse, by_devices: float, wakes_by_devices: float | None, name: str
) -> tuple[Work, list[Note]]:
    """Return a first fit. `by_devices`: the share that its devices and kernel take in the model."""
    notes: list[Note] = []
    if use.share is None:
        why = "came during the window" if use.is_new else "its processor time is unknown"
        return Work(), [Note(name, f"{why}: no work")]
    vcpus = _vcpus(use)
    hogs = [vcpu for vcpu in vcpus if _is_saturated(vcpu)]
    others = [vcpu for vcpu in vcpus if not _is_saturated(vcpu) and (vcpu.running or 0) > 0]
    if not hogs and _is_at_cap(use, vcpus):
        hogs, others = others, []
    if any(vcpu.demand is None and (vcpu.running or 0) >= LEAST_SHARE for vcpu in vcpus):
        notes.append(Note(name, "whether it waits or sleeps is unknown: it sleeps"))
    program = _program(use)
    bursting = sum(vcpu.running or 0 for vcpu in others) - (0 if hogs else by_devices)
    if bursting < LEAST_SHARE:
        return Work(hogs=len(hogs), program=program if hogs else None), notes
    left = bursting / sum(vcpu.running or 0 for vcpu in others)
    others = [vcpu for vcpu in others if left * (vcpu.running or 0) >= LEAST_SHARE / len(others)]
    period_ms = _period_ms(use, wakes_by_devices, others)
    if period_ms is None:
        notes.append(Note(name, f"how often it wakes is unknown: {UNKNOWN_PERIOD_MS:g} ms"))
    bursts = tuple(
        Burst(_first_odds(vcpu, left), period_ms or UNKNOWN_PERIOD_MS) for vcpu in others
    )
    return Work(len(hogs), bursts, bursting, program), notes


def never_sleeps(use: DomainUse) -> bool:
    """Return whether some vcpu of a domain always wants to run."""
    return any(_is_saturated(vcpu) for vcpu in _vcpus(use))


def _vcpus(use: DomainUse) -> Sequence[VcpuUse]:
    """Return what each vcpu did; if that is unknown they all did the same."""
    known = [vcpu for vcpu in use.vcpus if vcpu.running is not None]
    if known and len(known) == len(use.vcpus):
        return known[:MOST_VCPUS]
    share = use.share or 0.0
    count = min(len(use.vcpus) or max(math.ceil(share), 1), MOST_VCPUS)
    return [VcpuUse(running=share / count)] * count


def _is_saturated(vcpu: VcpuUse) -> bool:
    demand = vcpu.running if vcpu.demand is None else vcpu.demand
    is_held = (vcpu.held or 0) >= OFTEN_HELD
    return (demand or 0) >= (SATURATED_IF_HELD if is_held else SATURATED)


def _is_at_cap(use: DomainUse, vcpus: Sequence[VcpuUse]) -> bool:
    """Return whether a domain of which only processor time is known has all that its cap allows."""
    is_unknown = all(vcpu.demand is None for vcpu in vcpus)
    cap = (use.domain.cap_percent or 0) / 100
    return is_unknown and cap > 0 and (use.share or 0) >= AT_THE_CAP * cap


def _period_ms(use: DomainUse, by_devices: float | None, vcpus: Sequence[VcpuUse]) -> float | None:
    """Return run and sleep time of a burst, None if nobody knows the wake-ups.

    Devices wake only a vcpu that sleeps, and the time that it is held back is no part of a burst.
    """
    if use.wakes_per_second is None or not vcpus:
        return None
    shares = [_running_and_asleep(vcpu) for vcpu in vcpus]
    running, asleep = (sum(column) / len(vcpus) for column in zip(*shares, strict=True))
    wakes = (use.wakes_per_second - (by_devices or 0) * asleep) / len(vcpus)
    period_ms: float = 1_000 * (running + asleep) / max(wakes, 1e-3)
    return round(min(max(period_ms, _PERIODS_MS[0]), _PERIODS_MS[1]), 3)


def _running_and_asleep(vcpu: VcpuUse) -> tuple[float, float]:
    running = vcpu.running or 0
    return running, 1 - running if vcpu.blocked is None else vcpu.blocked


def _first_odds(vcpu: VcpuUse, left: float) -> float:
    """Return run time to sleep time, if a part `left` of the running time is the burst's."""
    running = vcpu.running or 0
    demand = running if vcpu.demand is None else vcpu.demand
    return _bounded(left * demand / max(1 - demand, 1e-3))


def _program(use: DomainUse) -> str | None:
    """Return the program whose time in user mode is nearest, None if the modes are unknown."""
    if use.user is None:
        return None
    return next(program for least, program in _PROGRAMS if use.user >= least)


def _odds(share: float) -> float:
    bounded = min(max(share, 1e-3), 0.995)
    return bounded / (1 - bounded)


def _bounded(odds: float) -> float:
    return min(max(odds, _ODDS[0]), _ODDS[1])
