"""Dumps a domain's memory to a core file.

Source: tools/python/xen/xend/XendDomain.py (domain_dump), tools/libxc/xc_core.c, 3.0.3.
"""

from pathlib import Path

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.operations.ending import Endings
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.operations.saving import BATCH_KIB, MEMORY_STEP, PAGE_KIB
from hypervisor.toolstack.records.corefile import write_core
from hypervisor.toolstack.records.newfile import check_place
from hypervisor.toolstack.records.xendlog import Message, Messages
from hypervisor.toolstack.xendcontext import XendContext

REQUESTED = Message(
    "XendDomain", 401, "Domain core dump requested for domain %s (%d) live=%d crash=%d."
)


class Dumping(Operation):
    """Dumps a domain's memory; the result is the path of the file."""

    def __init__(
        self,
        xend: XendContext,
        endings: Endings,
        info: DomainInfo,
        path: Path,
        *,
        live: bool = True,
        crash: bool = False,
    ) -> None:
        """`live`: the domain runs on during the dump; `crash`: it is destroyed afterwards."""
        super().__init__(xend, "dump-core", info)
        self._endings = endings
        self._info = info
        self._path = path
        self._is_crash = crash
        self._pauses = not live and not xend.hypervisor.domain_state(info.domid).is_paused
        self._kib = self._left_kib = xend.hypervisor.domain_state(info.domid).memory_kib

    def start(self) -> None:
        """Pause the domain unless the dump is live, and begin to copy."""
        try:
            check_place(self._path)
        except OSError as error:
            raise Refused(f"{self._path}: {error.strerror or error}") from None
        self._xend.log.info(
            REQUESTED, self._info.name, self._info.domid, not self._pauses, self._is_crash
        )
        if self._pauses:
            self._xend.hypervisor.pause_domain(self._info.domid)
        self.steps.begin(MEMORY_STEP)
        self._copy()

    def _copy(self) -> None:
        if self._info.domid not in self._xend.infos:
            raise Refused(f"Domain '{self._info.name}' was destroyed while it was being dumped")
        kib = min(self._left_kib, BATCH_KIB)
        if kib:
            self._left_kib -= kib
            self._xend.hypervisor.copy_memory(
                self._info.domid, kib, is_write=True, done=self._copied, is_core=True
            )
            return
        self.steps.end(MEMORY_STEP)
        spec = self._info.spec
        pages = self._kib // PAGE_KIB
        write_core(self._path, spec.vcpus, pages, is_hvm=spec.kind == "hvm")
        self._xend.events["core_dumped"] += 1
        self._unpause()
        if self._is_crash:
            self._endings.destroy(self._info)
        self.finish(str(self._path))

    def _copied(self) -> None:
        self.step(self._copy)

    def _unpause(self) -> None:
        if self._pauses and self._info.domid in self._xend.infos:
            self._xend.hypervisor.unpause_domain(self._info.domid)

    def fail(self, error: HostError) -> None:
        """Log the failure, and let the domain run on."""
        self._xend.log.error(Messages.dump_failed, self._info.domid, self._info.name, error)
        super().fail(error)

    def undo(self) -> None:
        """Let the domain run on."""
        self._unpause()
