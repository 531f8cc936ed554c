"""Counts the samples that have found a place, by domain, mode, image and event, for metrics."""

from collections.abc import Mapping

import numpy as np

from hypervisor.telemetry import Mode
from xenprof.events import EventSetting
from xenprof.oprofiled.attribution import Attributed, Attributor, Image
from xenprof.profile.passive import passive_part

ImageKey = tuple[int, Mode, str, str]
"""Domid, mode, image and event."""


class ImageTally:
    """Sums what an attributor finds. Its table has a cell for each place, event and mode."""

    def __init__(
        self, attributor: Attributor, domid: int, events: Mapping[int, EventSetting]
    ) -> None:
        """`domid`: of the daemon's own domain; `events`: of its counters."""
        self._attributor = attributor
        self._domid = domid
        self._events = events
        self._columns = len(Mode) * (max(events, default=0) + 1)
        self._sums = np.zeros(0)  # as floats, in which bincount adds; they are exact

    def add(self, found: Attributed) -> None:
        """Count attributed samples."""
        samples = found.samples
        column = samples.event.astype(np.int64) * len(Mode) + samples.mode
        cells = found.places * self._columns
        cells += column[found.rows.run]
        sums = np.bincount(cells, found.rows.counts, len(self._sums)).astype(np.float64, copy=False)
        sums[: len(self._sums)] += self._sums
        self._sums = sums

    def drain(self) -> dict[ImageKey, int]:
        """Return the samples counted since the last call."""
        found: dict[ImageKey, int] = {}
        cells = np.flatnonzero(self._sums)
        for cell, samples in zip(cells.tolist(), self._sums[cells].tolist(), strict=True):
            place, column = divmod(cell, self._columns)
            counter, mode = divmod(column, len(Mode))
            image = self._attributor.place(place).image
            event = self._events[counter].name
            key = owner(image, self._domid), Mode(mode), image.name.path, event
            found[key] = found.get(key, 0) + int(samples)
        self._sums = np.zeros(0)
        return found


def owner(image: Image, own: int) -> int:
    """Return the id of the domain whose code an image is: a passive one, or the daemon's `own`."""
    part = passive_part(image.name.path) if image.is_kernel else None
    return part[0] if part else own
