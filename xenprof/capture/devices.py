"""Writes the disks and interfaces of domains as entries of a scenario."""

import re
from collections.abc import Iterator, Sequence

from hypervisor.telemetry import VbdSnapshot, VifSnapshot
from xenprof.capture.draft import Note
from xenprof.capture.grammar import HeldDisks, disk_of, shown, vif_of

MOST_VIFS = 3  # a guest of the model has grant entries for no more
MOST_DISKS = 16  # judgement; so many do fit
_MOST_IMAGES = 8  # loop devices of the model's domain 0
_BRIDGES = ("xenbr0", "xenbr1", "virbr0")
_SERVED = ("phy", "file", "tap:aio", "tap:sync", "tap:qcow", "tap:vmdk", "tap:ram")
_LONGEST_PATH = 200
_FRONT = re.compile(r"[A-Za-z0-9/]+")


class Devices:
    """Writes entries, and knows what other domains have, as they share domain 0's devices."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._held = HeldDisks()
        self._images = 0

    def vifs(self, vifs: Sequence[VifSnapshot], about: str) -> tuple[str, ...]:
        """Return the entries of a domain's interfaces. `about` is what the scenario calls it."""
        self._count(about, "interfaces", len(vifs), MOST_VIFS)
        return tuple(self._vif(vif, about) for vif in vifs[:MOST_VIFS])

    def disks(self, vbds: Sequence[VbdSnapshot], about: str) -> tuple[str, ...]:
        """Return the entries of a domain's disks. `about` is what the scenario calls it."""
        self._count(about, "disks", len(vbds), MOST_DISKS)
        entries: list[str] = []
        numbers: set[int] = set()
        for vbd in vbds[:MOST_DISKS]:
            for entry in self._forms(vbd, about):
                disk = disk_of(entry)
                if disk is not None and disk.device not in numbers:
                    numbers.add(disk.device)
                    entries.append(self._alone(entry, about))
                    break
            else:
                self._tell(about, f"disk {vbd.device} has a number that scenarios do not: left out")
        return tuple(entries)

    def _count(self, about: str, noun: str, count: int, most: int) -> None:
        if count > most:
            self._tell(about, f"{count} {noun}: the model has {most}")

    def _tell(self, about: str, text: str) -> None:
        self.notes.append(Note(about, text))

    def _vif(self, vif: VifSnapshot, about: str) -> str:
        parts = []
        given = vif_of(f"mac={vif.mac}") if vif.mac and "," not in vif.mac else None
        if given is not None and given.mac:
            parts.append(f"mac={given.mac}")
        else:
            self._tell(about, f"the address of interface {vif.index} is unknown: one is drawn")
        if vif.bridge in _BRIDGES:
            parts.append(f"bridge={vif.bridge}")
        else:
            bridge = "an unknown bridge" if vif.bridge is None else f"bridge {shown(vif.bridge)}"
            self._tell(about, f"interface {vif.index} is on {bridge}: xenbr0, with a gigabit card")
        if vif.rate_limit_bytes is not None:
            limit = f"rate={vif.rate_limit_bytes}B/s"
            spec = vif_of(limit)
            if spec is not None and spec.rate is not None:
                parts.append(limit)
            else:
                self._tell(about, f"{limit} is no limit of a scenario: left out")
        return ", ".join(parts)

    def _forms(self, vbd: VbdSnapshot, name: str) -> Iterator[str]:
        """Return entries for a disk, the best first; those that are legal differ in the number."""
        mode = "r" if vbd.mode == "r" else "w"
        sources = (self._source(vbd), f"phy:/dev/captured/{name.replace('/', '_')}-{vbd.device}")
        for source in sources if sources[0] else sources[1:]:
            for front in (vbd.name, str(vbd.device)):
                if front and _FRONT.fullmatch(front):
                    role = ":cdrom" if vbd.backend == "" and mode == "r" else ""
                    yield f"{'' if role else source},{front}{role},{mode}"

    def _source(self, vbd: VbdSnapshot) -> str:
        """Return what backs a disk as the model can have it, "" if it cannot."""
        kind, _, path = (vbd.backend or "").rpartition(":")
        is_plain = path.isascii() and path.isprintable() and not set(path) & set(', "\\')
        if kind in _SERVED and is_plain and path and len(path) <= _LONGEST_PATH:
            return f"{kind}:{path}"
        return ""

    def _alone(self, entry: str, about: str) -> str:
        """Return an entry that needs no loop device too many and no other domain's consent."""
        source, front, mode = entry.split(",")
        kind, _, path = source.rpartition(":")
        if kind == "file":
            self._images += 1
            if self._images > _MOST_IMAGES:
                kind = "tap:aio"
        if path.startswith("/dev/captured/"):
            self._tell(about, f"what backs disk {front} is unknown or not the model's: {source}")
        if not kind:
            return entry
        alone = f"{kind}:{path},{front},{mode}"
        return f"{kind}:{path},{front},w!" if self._held.take(alone) else alone
