"""A domain's daemon on a directory of its own, which stores samples at once."""

from collections import Counter
from pathlib import Path

from tests.support.fake_host import (
    KERNEL_END,
    KERNEL_START,
    MODULES,
    TASKS,
    VMLINUX,
    XEN,
    XEN_END,
    XEN_START,
    samples,
)
from xenprof.events import EventSetting
from xenprof.oprofiled import DaemonConfig, Oprofiled, TextRange
from xenprof.oprofiled.writer import SampleWriter
from xenprof.store.sessiondir import read_profile

CYCLES = EventSetting("GLOBAL_POWER_EVENTS", 100000, 1)
RETIRED = EventSetting("INSTR_RETIRED", 200000, 1)
LIBC_PC = 0x2B0000000000 + 0x1234  # in LIBC, as fake_host maps it
OWN_KERNEL = {"vmlinux": TextRange(VMLINUX, KERNEL_START, KERNEL_END)}
WITH_XEN = {**OWN_KERNEL, "xen": TextRange(XEN, XEN_START, XEN_END)}


class Daemon:
    """An Oprofiled on a temporary root that writes its files at once."""

    def __init__(self, root: Path, **config) -> None:
        self.root = root
        self.tasks = dict(TASKS)
        self.modules = MODULES
        self.session = root / "var/lib/oprofile"
        self.log: list[str] = []
        self.writer = SampleWriter(self.session / "samples/current", self.log.append)
        self.oprofiled = Oprofiled(
            DaemonConfig(
                **{
                    "domid": 0,
                    "cpu_type": "i386/p4-ht",
                    "cpu_mhz": 3200.0,
                    "events": {0: CYCLES, 3: RETIRED},
                    **config,
                }
            ),
            root,
            self.writer,
            lambda: self.modules,
            lambda: self.tasks,
        )

    def store(self, *rows, **same):
        self.oprofiled.take(samples(*rows, **same))
        self.oprofiled.flush()
        return self.files()

    def files(self):
        return read_profile(self.session).files

    def stored(self):
        """Return {(app, image): {offset: count}} over all files."""
        found: dict[tuple[str, str], Counter[int]] = {}
        for file in self.files():
            histogram = found.setdefault((file.key.app.path, file.key.image.path), Counter())
            for offset, count in zip(file.offsets.tolist(), file.counts.tolist(), strict=True):
                histogram[offset] += count
        return found

    @property
    def lost(self):
        return dict(self.oprofiled.balance().lost)
