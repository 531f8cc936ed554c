"""Writes a capture through the daemon into one archive per domain.

An active domain's archive has what its own daemon would have left. Domain 0's also has the
passive domains, as `domainN-kernel` and so on; each of these has an archive with only that part.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hypervisor.elf import write_elf
from hypervisor.host import Mapped, Module, Task
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from xenprof.errors import StoreError, UsageError
from xenprof.events import EventSetting
from xenprof.home import DOMAIN_0_ID
from xenprof.imports.archive import (
    NAME_BYTES,
    UNSYNCED,
    Archive,
    archive_path,
    check_free,
    loss_lines,
    new_archives,
)
from xenprof.imports.errors import InputError
from xenprof.imports.xenoprof.inputs import Capture
from xenprof.imports.xenoprof.symbols import SymbolTable, Text
from xenprof.oprofiled import DaemonConfig, Oprofiled, TextRange
from xenprof.oprofiled.log import LogFile, statistics_lines
from xenprof.oprofiled.outcome import Balance
from xenprof.oprofiled.ranges import RangeTable
from xenprof.oprofiled.writer import SampleWriter

_VMLINUX, _XEN = "/boot/vmlinux", "/boot/xen-syms"
_USER_END = 1 << 47
_TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of the import of a capture.

    `active` are the domains with a session of their own, domain 0 always; all others are
    passive. `kernels` are symbol tables by domain id, `kernel` that of the others. `event` is
    the counter whose entries are samples. `mtime` is given to the images.
    """

    output: Path
    xen: SymbolTable
    kernel: SymbolTable
    kernels: Mapping[int, SymbolTable] = field(default_factory=dict)
    active: frozenset[int] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)
    event: int = 0
    mtime: int = 0

    def name(self, domid: int) -> str:
        """Return the name of a domain."""
        return self.names.get(domid) or f"Domain-{domid}"

    def archive(self, domid: int) -> Path:
        """Return the directory that is the root of a domain."""
        return archive_path(self.output, self.name(domid))

    def is_active(self, domid: int) -> bool:
        """Return whether a domain has a session of its own."""
        return domid == DOMAIN_0_ID or domid in self.active

    def kernel_of(self, domid: int) -> SymbolTable:
        """Return the symbols of a domain's kernel."""
        return self.kernels.get(domid, self.kernel)


def import_capture(capture: Capture, plan: Plan) -> dict[int, Balance]:
    """Write the archives; return the balance of each active domain's samples by its id.

    Nothing is written if the capture or the plan is wrong.

    Raises: InputError, UsageError, StoreError.
    """
    batch = _batch(capture, plan.event)
    domains = sorted({DOMAIN_0_ID, *capture.domains})
    _check_domains(plan, domains)
    _check_symbols(batch, plan)
    passive = [domid for domid in domains if not plan.is_active(domid)]
    balances: dict[int, Balance] = {}
    images = _Images()
    with new_archives(plan.output) as archives:
        for domid in domains:
            shown = [domid, *(passive if domid == DOMAIN_0_ID else ())]
            archive = archives.begin(plan.name(domid))
            balance = _write_archive(capture, batch, plan, domid, shown, images, archive)
            if plan.is_active(domid):
                balances[domid] = balance
    return balances


class _Images:
    """ELF images made of symbol tables, each once; reports read names from them."""

    def __init__(self) -> None:
        self._made: dict[Text, bytes] = {}

    def of(self, text: Text) -> bytes:
        """Return the image of a text."""
        if text not in self._made:
            self._made[text] = write_elf(
                text.functions, text_address=text.start, text_size=text.end - text.start
            )
        return self._made[text]


def _batch(capture: Capture, event: int) -> SampleBatch:
    """Return the entries of one event. What they do not have (time, pcpu, task) is 0."""
    events = {int(event) for rows in capture.entries.values() for event in set(rows["event"])}
    if not events:
        raise UsageError("the capture holds no samples: all its rings are empty")
    if event not in events:
        known = ", ".join(str(number) for number in sorted(events))
        raise UsageError(f"--event {event}: the capture has entries of event {known} only")
    chosen = {key: rows[rows["event"] == event] for key, rows in capture.entries.items()}
    lengths = [len(rows) for rows in chosen.values()]
    entries = np.concatenate(list(chosen.values()))
    domain = np.repeat(np.array([domid for domid, _ in chosen], np.int32), lengths)
    zeros = np.zeros(len(entries), np.int32)
    return SampleBatch(
        time_ns=zeros.astype(np.int64),
        pcpu=zeros,
        domain=domain,
        vcpu=np.repeat(np.array([vcpu for _, vcpu in chosen], np.int32), lengths),
        mode=entries["mode"].copy(),
        event=entries["event"].copy(),
        pc=entries["pc"].astype(np.uint64),
        tgid=zeros,
        tid=zeros,
        stack_id=zeros - 1,
        on_behalf_of=domain,
    )


def _rows(batch: SampleBatch, domains: Sequence[int]) -> SampleBatch:
    rows = np.isin(batch.domain, domains)
    return SampleBatch(*(getattr(batch, name)[rows] for name in SampleBatch.__slots__))


def _check_domains(plan: Plan, domains: Sequence[int]) -> None:
    """Refuse a plan for domains that the capture lacks, and archives that exist."""
    for option, domids in (
        ("--active", plan.active), ("--name", plan.names), ("--kallsyms", plan.kernels),
    ):  # fmt: skip
        for domid in domids:
            if domid not in domains:
                raise UsageError(f"{option}: the capture has no domain {domid}")
    archives = [plan.archive(domid) for domid in domains]
    for archive in archives:
        if archives.count(archive) > 1:
            raise UsageError(f"--name: two domains would share the archive {archive}")
        if len(archive.name) > NAME_BYTES:
            raise UsageError(f"--name: {archive.name[:40]}... is too long for a directory")
        check_free(archive)


def _check_symbols(batch: SampleBatch, plan: Plan) -> None:
    """Refuse tables of another build: with the right table most samples hit a symbol."""
    xen = plan.xen
    in_xen = batch.pc[batch.mode == Mode.HYPERVISOR]
    if len(in_xen) and not _any_inside(in_xen, [xen.text]):
        raise InputError(xen.path, _no_hit("hypervisor", xen.text))
    for domid in sorted({DOMAIN_0_ID, *plan.active, *plan.kernels}):
        table = plan.kernel_of(domid)
        pc = batch.pc[(batch.mode == Mode.KERNEL) & (batch.domain == domid)]
        if len(pc) and not _any_inside(pc, [table.text, *table.modules]):
            raise InputError(table.path, _no_hit(f"domain {domid} kernel", table.text))


def _any_inside(pc: npt.NDArray[np.uint64], texts: Sequence[Text]) -> bool:
    return bool((RangeTable([_range(text) for text in texts]).find(pc) >= 0).any())


def _no_hit(what: str, text: Text) -> str:
    return (
        f"no {what} sample is in its code from {text.start:#x} to {text.end:#x}: "
        "these are the symbols of another system"
    )


def _write_archive(
    capture: Capture,
    batch: SampleBatch,
    plan: Plan,
    domid: int,
    shown: Sequence[int],
    images: _Images,
    archive: Archive,
) -> Balance:
    """Write the archive of `domid` with the samples of the domains `shown`."""
    root, session = archive.root, archive.session
    reader = domid if plan.is_active(domid) else DOMAIN_0_ID
    kernel = plan.kernel_of(reader)
    passive = [other for other in shown if other != reader]
    installed: dict[str, Text] = {}
    if reader in shown:
        installed |= {f"/{module.name}": module for module in kernel.modules}
        installed |= {_VMLINUX: kernel.text, _XEN: plan.xen.text}
    for other in passive:
        installed[f"/domain{other}-kernel"] = plan.kernel_of(other).text
        installed[f"/boot/domain{other}-xen"] = plan.xen.text
    for path, text in installed.items():
        archive.write_image(path, images.of(text), plan.mtime)

    config = DaemonConfig(
        domid=reader,
        cpu_type=_TIMER,
        cpu_mhz=0.0,
        events={plan.event: EventSetting("TIMER", 0, 0)},
        vmlinux=TextRange(_VMLINUX, kernel.text.start, kernel.text.end),
        xen=TextRange(_XEN, plan.xen.text.start, plan.xen.text.end),
        passive={other: _range(plan.kernel_of(other).text) for other in passive},
    )
    modules = [
        Module(module.name, module.start, module.end - module.start, f"/{module.name}")
        for module in kernel.modules
    ]
    # A capture does not name processes: all user code is one file, by absolute pc.
    path = f"/domain{reader}-apps"
    task = Task(0, path, (Mapped(0, _USER_END, 0, path),))
    log = LogFile(session.log_path)
    writer = SampleWriter(session.current, log.write, disk=UNSYNCED)
    daemon = Oprofiled(config, root, writer, lambda: modules, lambda: {0: task})
    daemon.take(_rows(batch, shown))
    daemon.flush()
    if problem := writer.outcome.problem:
        raise StoreError(str(root), problem)
    balance = daemon.balance()
    full = sum(capture.lost(other) or 0 for other in shown)
    stats = _stats(capture, shown)
    session.write_stats(stats)
    archive.note(loss_lines({**balance.lost, "ring_full": full}))
    for line in statistics_lines(
        int(time.time()),
        dumps=daemon.dumps,
        samples=balance.taken,
        kernel_samples=daemon.kernel_samples,
        lost=balance.lost,
        driver=stats,
    ):
        log.write(line)
    return balance


def _range(text: Text) -> tuple[int, int]:
    return text.start, text.end


def _stats(capture: Capture, domains: Sequence[int]) -> dict[str, int]:
    """Return the samples lost in full rings, under the names that opreport reads.

    A full ring is the overflow of a cpu's buffer; its entries may be of any event. Without
    `event_lost_overflow` the real opreport is silent about the others.
    """
    stats = {"event_lost_overflow": 0}
    for (domid, vcpu), counted in capture.counters.items():
        if domid in domains:
            for name, entries in (
                (f"cpu{vcpu}/sample_received", sum(counted.logged) + counted.lost),
                (f"cpu{vcpu}/sample_lost_overflow", counted.lost),
            ):
                stats[name] = stats.get(name, 0) + entries
    return stats
