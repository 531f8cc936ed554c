"""Counts the samples that have found a place, by function, for metrics."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xenprof.errors import ImageError
from xenprof.events import EventSetting
from xenprof.home import inside
from xenprof.images import ImageSymbols, load_symbols
from xenprof.oprofiled.attribution import Attributed, Attributor, Image
from xenprof.oprofiled.histogram import Histogram
from xenprof.oprofiled.imagetally import owner
from xenprof.oprofiled.ranges import U64
from xenprof.profile.passive import passive_part

SymbolKey = tuple[int, str, str, str]
"""Domid, image, symbol and event."""
NO_SYMBOL = "(no symbols)"
_EVENT_BITS = 8
_MOST_ROWS = 1 << 18


class SymbolTally:
    """Sums what an attributor finds by place, event and offset, and names the functions later."""

    def __init__(
        self, attributor: Attributor, domid: int, events: Mapping[int, EventSetting], root: Path
    ) -> None:
        """`root`: of the daemon's own domain, whose images have the symbols."""
        self.root = root
        self._attributor = attributor
        self._domid = domid
        self._events = events
        self._counts = Histogram()
        self._images: dict[Path, ImageSymbols | None] = {}

    def add(self, found: Attributed) -> None:
        """Count attributed samples."""
        event = found.samples.event.astype(np.int64)[found.rows.run]
        groups = (found.places << _EVENT_BITS | event).astype(np.uint64)
        self._counts.add(groups, found.offsets, found.rows.counts)
        if len(self._counts) >= _MOST_ROWS:
            self._counts.compact()

    def drain(self) -> dict[SymbolKey, int]:
        """Return the samples counted since the last call."""
        found: dict[SymbolKey, int] = {}
        for group, offsets, counts in self._counts.drain():
            image = self._attributor.place(group >> _EVENT_BITS).image
            event = self._events[group & (1 << _EVENT_BITS) - 1].name
            domid = owner(image, self._domid)
            for symbol, samples in self._by_symbol(image, offsets, counts).items():
                key = domid, image.name.path, symbol, event
                found[key] = found.get(key, 0) + samples
        return found

    def _by_symbol(self, image: Image, offsets: U64, counts: U64) -> dict[str, int]:
        symbols = self._symbols(image)
        if symbols is None:
            return {NO_SYMBOL: int(counts.sum())}
        rows = symbols.lookup(offsets, image.is_kernel)
        sums = np.bincount(rows + 1, counts)  # the first for offsets in no function
        found: dict[str, int] = {}
        for row in np.flatnonzero(sums).tolist():
            name = symbols.names[row - 1] if row else NO_SYMBOL
            found[name] = found.get(name, 0) + int(sums[row])
        return found

    def _symbols(self, image: Image) -> ImageSymbols | None:
        part = passive_part(image.name.path) if image.is_kernel else None
        file = self._attributor.passive_file(part[1]) if part else image.file
        if not file:
            return None
        path = inside(self.root, file)
        if path not in self._images:
            try:
                symbols = load_symbols(path, (str(self.root),))
                self._images[path] = symbols if len(symbols.names) else None
            except ImageError:
                self._images[path] = None
        return self._images[path]
