"""Counts a daemon's samples for metrics, beside the sample files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xenprof.events import EventSetting
from xenprof.oprofiled.attribution import Attributed, Attributor
from xenprof.oprofiled.imagetally import ImageKey, ImageTally
from xenprof.oprofiled.symboltally import SymbolKey, SymbolTally


@dataclass(frozen=True, slots=True)
class Told:
    """Samples that have become known since the last time."""

    images: Mapping[ImageKey, int]
    symbols: Mapping[SymbolKey, int]


class Tallies:
    """Counts samples by image and, if that is wanted, by function."""

    def __init__(
        self,
        attributor: Attributor,
        domid: int,
        events: Mapping[int, EventSetting],
        root: Path,
        *,
        with_symbols: bool,
    ) -> None:
        """`root`: of the daemon's own domain."""
        self._images = ImageTally(attributor, domid, events)
        self._symbols = SymbolTally(attributor, domid, events, root) if with_symbols else None

    def moved(self, root: Path) -> None:
        """Find the domain's files elsewhere from now on."""
        if self._symbols is not None:
            self._symbols.root = root

    def add(self, found: Attributed) -> None:
        """Count attributed samples."""
        self._images.add(found)
        if self._symbols is not None:
            self._symbols.add(found)

    def drain(self) -> Told:
        """Return the samples counted since the last call."""
        symbols = self._symbols.drain() if self._symbols is not None else {}
        return Told(self._images.drain(), symbols)
