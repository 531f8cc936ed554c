"""Keeps how many samples have been stored, by life of a domain, for snapshots of the host.

A host counts what its hypervisor has logged; only the daemons know in which image that was.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hypervisor.telemetry import HostSnapshot, ImageSampleCount, Life, Mode, SymbolSampleCount
from xenprof.oprofiled.tallies import Told

MOST_IMAGES = 256
"""The images of one life that are counted apart; the others are one (judgement)."""
MOST_SYMBOLS = 4096
"""The functions of one life that are counted apart; the others are one (judgement)."""
OTHER = "(other)"


class _LifeCounts:
    """The samples of one life; of things that are too many, the later ones are counted as one."""

    def __init__(self) -> None:
        self.images: Counter[tuple[Mode, str, str]] = Counter()
        self.symbols: Counter[tuple[str, str, str]] = Counter()
        self._known: set[str] = set()

    def add_image(self, mode: Mode, image: str, event: str, samples: int) -> None:
        if image not in self._known and len(self._known) < MOST_IMAGES:
            self._known.add(image)
        self.images[mode, image if image in self._known else OTHER, event] += samples

    def add_symbol(self, image: str, symbol: str, event: str, samples: int) -> None:
        key = image, symbol, event
        is_known = key in self.symbols or len(self.symbols) < MOST_SYMBOLS
        self.symbols[key if is_known else (OTHER, OTHER, event)] += samples


class StoredCounts:
    """Counts what daemons tell. Used on the host's thread only."""

    def __init__(self, top_symbols: int = 0) -> None:
        """`top_symbols`: how many functions of each life are shown."""
        self._top_symbols = top_symbols
        self._told: list[Told] = []
        self._lives: dict[Life, _LifeCounts] = {}
        self._names: Mapping[Life, str] = {}
        self._images: tuple[ImageSampleCount, ...] = ()
        self._symbols: tuple[SymbolSampleCount, ...] = ()

    def add(self, told: Told) -> None:
        """Add samples, which the next snapshot shows."""
        self._told.append(told)

    def complete(self, snapshot: HostSnapshot) -> HostSnapshot:
        """Return a snapshot of the host that says what has been stored too.

        Of domains that have ended nothing is kept, however many they are.
        """
        if not self._told and not self._lives:
            return snapshot
        names = {one.life: one.name for one in snapshot.domains}
        if self._told or names != self._names:
            self._count(names)
            self._names = names
            self._images = tuple(row for life in self._lives for row in self._image_rows(life))
            self._symbols = tuple(row for life in self._lives for row in self._symbol_rows(life))
        return replace(snapshot, image_samples=self._images, symbol_samples=self._symbols)

    def _count(self, names: Mapping[Life, str]) -> None:
        """Add what was told to the lives that there are, and forget the others."""
        lives = {life[0]: life for life in names}
        for told in self._told:
            for (domid, mode, image, event), samples in told.images.items():
                if domid in lives:
                    self._life(lives[domid]).add_image(mode, image, event, samples)
            for (domid, image, symbol, event), samples in told.symbols.items():
                if domid in lives:
                    self._life(lives[domid]).add_symbol(image, symbol, event, samples)
        self._told = []
        self._lives = {
            life: counts for life, counts in sorted(self._lives.items()) if life in names
        }

    def _life(self, life: Life) -> _LifeCounts:
        return self._lives.setdefault(life, _LifeCounts())

    def _image_rows(self, life: Life) -> list[ImageSampleCount]:
        return [
            ImageSampleCount(self._names[life], *life, mode, image, event, samples)
            for (mode, image, event), samples in sorted(self._lives[life].images.items())
        ]

    def _symbol_rows(self, life: Life) -> list[SymbolSampleCount]:
        top = sorted(self._lives[life].symbols.items(), key=_most_first)[: self._top_symbols]
        return [
            SymbolSampleCount(self._names[life], *life, image, symbol, event, samples)
            for (image, symbol, event), samples in top
        ]


def _most_first(counted: tuple[tuple[str, str, str], int]) -> tuple[int, tuple[str, str, str]]:
    return -counted[1], counted[0]
