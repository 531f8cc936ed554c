"""What a run is, in a form that can be sent to another process, and the run itself."""

import hashlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from hypervisor.errors import HostError
from hypervisor.host import Host
from hypervisor.telemetry import HostSnapshot
from xenprof.experiment.errors import RunFailed
from xenprof.experiment.events import Event
from xenprof.experiment.identity import identity
from xenprof.experiment.measures import Measure, measured
from xenprof.experiment.model import booted

Values: TypeAlias = tuple[tuple[float | None, ...], ...]
"""For each piece of the window, for each measure; None: nothing was there to be measured."""


@dataclass(frozen=True, slots=True)
class Job:
    """A variant to run: its scenario, when what is measured, and what happens."""

    tables: Mapping[str, Any]
    warm_up_ns: int
    piece_ns: int
    pieces: int
    events: tuple[Event, ...]
    measures: tuple[Measure, ...]

    def in_order(self) -> list[Event]:
        """Return the events as they come."""
        return sorted(self.events, key=lambda event: event.at_ns)

    def text(self) -> str:
        """Return the job as JSON, the same for the same job."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Return what tells jobs apart."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]


def parsed(text: str) -> Job:
    """Return the job of a JSON text."""
    plain = json.loads(text)
    plain["events"] = tuple(Event(**one) for one in plain["events"])
    plain["measures"] = tuple(
        Measure(**one | {"of": tuple(one["of"]), "per": tuple(one["per"])})
        for one in plain["measures"]
    )
    return Job(**plain)


def run(text: str, seed: int, model: str) -> list[list[float | None]] | str:
    """Run a job with one seed; return its values, or in a line why the host refuses it.

    Both are plain values, so that what comes back from elsewhere can be looked at. Raises:
    RunFailed: this process, wherever it is, has not the model with that digest.
    """
    if model != identity():
        raise RunFailed(
            f"process {os.getpid()} on {socket.gethostname()} has another model than is here; "
            "install the same xenprof, and start its workers again"
        )
    try:
        return [list(piece) for piece in values(parsed(text), seed)]
    except HostError as error:
        return str(error)


def values(job: Job, seed: int) -> Values:
    """Run a job with one seed. Raises: HostError."""
    host = booted(job.tables, seed)
    host.advance(job.warm_up_ns)
    waiting = job.in_order()
    found = []
    before = host.telemetry.snapshot()
    for piece in range(1, job.pieces + 1):
        end_ns = piece * job.piece_ns
        while waiting and waiting[0].at_ns < end_ns:
            event = waiting.pop(0)
            host.advance(job.warm_up_ns + event.at_ns)
            happen(event, host)
        host.advance(job.warm_up_ns + end_ns)
        after = host.telemetry.snapshot()
        found.append(_of_piece(job.measures, before, after, job.piece_ns))
        before = after
    return tuple(found)


def happen(event: Event, host: Host) -> None:
    """Do what an event says. Raises: HostError, which names it."""
    try:
        event.happen(host)
    except HostError as error:
        raise HostError(f"event '{event.command}': {error}") from None


def _of_piece(
    measures: Sequence[Measure], before: HostSnapshot, after: HostSnapshot, duration_ns: int
) -> tuple[float | None, ...]:
    return tuple(measured(one, before, after, duration_ns) for one in measures)
