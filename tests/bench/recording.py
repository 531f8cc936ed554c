"""Benchmark of recording: batches of samples into a session's files, flat and with call stacks."""

import resource
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hypervisor.host import OprofileDriver, StackWalker
from hypervisor.model.machine import Machine
from hypervisor.samples import SampleRuns
from tests.bench.table import Row, repeat
from tests.support.model.hosts import MS, domain, fileio, make_host, netperf
from tests.support.model.profiling import CYCLES, begin, end, set_counter
from xenprof.disk import Disk
from xenprof.events import EventSetting
from xenprof.oprofiled.attribution import DaemonConfig, TextRange
from xenprof.oprofiled.daemon import Oprofiled
from xenprof.oprofiled.recorder import StackRecorder
from xenprof.oprofiled.stacks import Known
from xenprof.oprofiled.stackwriter import StackWriter
from xenprof.oprofiled.writer import SampleWriter

RUNS = 5
PERIOD = 6000 * 15  # the least that a call graph needs
SAMPLES = 4_000_000
DEPTH = 32
FLAT_PER_SECOND, STACKS_PER_SECOND = 5_000_000, 1_000_000
_VMLINUX = TextRange("/boot/vmlinux", 0xFFFFFFFF80200000, 0xFFFFFFFF80600000)
_XEN = TextRange("/boot/xen-syms", 0xFFFF828C80100000, 0xFFFF828C80200000)


def run() -> list[Row]:
    """Return samples per second, from the columns of a busy domain 0 to renamed files."""
    host = make_host(
        domain("web", netperf("transmit")),
        domain("in", netperf("receive", rate_bits_per_second=200_000_000)),
        domain("disk", fileio(rate_per_second=300)),
    )
    driver = host.profiler.oprofile("0")
    driver.write("backtrace_depth", str(DEPTH))
    for name in ("buffer_size", "cpu_buffer_size"):
        driver.write(name, "100000000")
    set_counter(host, 0, event=CYCLES, count=5000)
    begin(host, (0, 1, 2, 3))
    host.advance(1000 * MS)
    end(host, (1, 2, 3))
    return [*_rows(host, driver)]


def _rows(host: Machine, driver: OprofileDriver) -> list[Row]:
    driver.write("dump", "1")
    host.advance_until(lambda: driver.pending() == 0, 5_000 * MS)
    lots = [lot.load() for lot in driver.read_buffer()]
    some = sum(map(len, lots))
    batches = [lot for _ in range(-(-SAMPLES // some)) for lot in lots]
    samples = sum(map(len, batches))
    rows = []
    for name, has_stacks, wanted in (
        ("recording, samples into the store", False, FLAT_PER_SECOND),
        ("recording with call stacks", True, STACKS_PER_SECOND),
    ):
        before_kib = _most_kib()
        seconds = repeat(RUNS, partial(_record, driver, batches, has_stacks=has_stacks))
        grown_mib = (_most_kib() - before_kib) / 1024
        rates = [samples / one for one in seconds]
        title = f"{name} (+{grown_mib:.0f} MiB)"
        rows.append(
            Row(title, "none", rates, rates, "samples/s", more_is_better=True, limit=wanted)
        )
    return rows


def _most_kib() -> int:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _record(driver: OprofileDriver, batches: Sequence[SampleRuns], *, has_stacks: bool) -> None:
    events = {0: EventSetting("GLOBAL_POWER_EVENTS", PERIOD, 1)}
    config = DaemonConfig(0, "i386/p4", 3200.0, events, _VMLINUX, _XEN)
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        session = Path(folder, "samples", "current")
        session.mkdir(parents=True)
        disk = Disk(is_synced=False)  # how long that takes says more about the disk
        writer = SampleWriter(session, print, disk=disk)
        daemon = Oprofiled(config, Path(folder), writer, driver.modules, driver.tasks)
        daemon.count_places(with_symbols=False)  # as in a service
        if has_stacks:
            assert isinstance(driver, StackWalker)
            names = {0: Known("Domain-0", Path(folder))}
            stack, to = driver.stack, StackWriter(session, print, disk=disk)
            daemon.record_stacks(lambda known: StackRecorder(known, stack, 0, lambda: names, to))
        for batch in batches:
            daemon.take(batch)
        daemon.flush()
        assert daemon.balance().stored == sum(map(len, batches))
