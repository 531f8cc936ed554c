"""Saves a domain to a file, and restores it from there.

Source: tools/python/xen/xend/XendCheckpoint.py (save, restore), tools/libxc/xc_linux_save.c,
3.0.3. The format of the file is described in `savefile`, which is imported when a file is written
or read: it needs numpy, whose import takes a third of the start of a run.
"""

import os
from dataclasses import replace

from hypervisor.errors import HostError, Refused
from hypervisor.shutdown import SUSPEND
from hypervisor.toolstack.config.domain_sxp import config_sxp, spec_from_sxp
from hypervisor.toolstack.config.sxp import parse, to_text
from hypervisor.toolstack.domaininfo import SAVING_PREFIX, DomainInfo, current_spec
from hypervisor.toolstack.domainnodes import rename
from hypervisor.toolstack.operations.creation import Creation
from hypervisor.toolstack.operations.ending import Endings
from hypervisor.toolstack.operations.operation import Operation
from hypervisor.toolstack.records.xendlog import Messages
from hypervisor.toolstack.timers import MILLISECOND_NS, SECOND_NS
from hypervisor.toolstack.xendcontext import XendContext

POLL_NS = 100 * MILLISECOND_NS
# After this, a guest that does not answer is given up; the original waits for ever.
SUSPEND_LIMIT_NS = 60 * SECOND_NS
BATCH_KIB = 4096  # 1024 pages
MEMORY_STEP = "memory"
PAGE_KIB = 4


class Saving(Operation):
    """Saves a domain; the result is None. On failure the domain has its name back and runs on."""

    def __init__(
        self, xend: XendContext, endings: Endings, info: DomainInfo, path: str, *, checkpoint: bool
    ) -> None:
        super().__init__(xend, "save", info)
        self._endings = endings
        self._info = info
        self._path = path
        self._is_checkpoint = checkpoint
        self._name = info.name
        self._suspended_kib = 0
        self._copied_kib = 0
        self._deadline_ns = 0
        self._target = ""  # set while no other operation may write the file

    def start(self) -> None:
        """Check that the file can be written, and ask the guest to suspend itself."""
        from hypervisor.toolstack.records.savefile import check_save

        check_save(self._path)
        xend, info = self._xend, self._info
        target = os.path.realpath(self._path)
        if target in xend.being_written:
            raise Refused(f"xm save: another domain is being saved to {self._path}")
        self._target = target
        xend.being_written.add(target)
        name = f"{SAVING_PREFIX}{self._name}"
        for domid, other in xend.infos.items():
            if other.name == name:
                raise Refused(f"VM name '{name}' already in use by domain {domid}")
        info.is_saving = True
        rename(xend.store, info, name)
        xend.hypervisor.rename_domain(info.domid, info.name)
        xend.log.debug(Messages.save_command, f"/usr/lib64/xen/bin/xc_save 16 {info.domid} 0 0 0")
        xend.log.debug(Messages.save_input, "suspend")
        xend.log.debug(Messages.suspending, info.domid)
        if info.spec.kind == "hvm":  # it is suspended without its help
            xend.hypervisor.shut_down_domain(info.domid, SUSPEND)
        else:
            xend.store.write(f"{info.path}/control/shutdown", "suspend")
        self.steps.begin("suspend")
        self._deadline_ns = xend.timers.now + SUSPEND_LIMIT_NS
        self.after(POLL_NS, self._wait)

    def _wait(self) -> None:
        xend, info = self._xend, self._info
        if info.domid not in xend.infos:
            raise Refused(f"Domain '{self._name}' went away while it was being saved")
        state = xend.hypervisor.domain_state(info.domid)
        if state.shutdown_reason == SUSPEND:
            xend.log.info(Messages.suspended, info.domid)
            self._suspended_kib = state.memory_kib
            self.steps.end("suspend")
            self.steps.begin(MEMORY_STEP)
            self._copy()
        elif state.shutdown_reason is not None:
            raise Refused(f"Domain '{self._name}' has ended while it was being saved")
        elif xend.timers.now >= self._deadline_ns:
            raise Refused(
                f"xm save: Domain '{self._name}' did not suspend within "
                f"{SUSPEND_LIMIT_NS // SECOND_NS} seconds; it runs on"
            )
        else:
            self.after(POLL_NS, self._wait)

    def _copy(self) -> None:
        info = self._info
        left_kib = self._suspended_kib - self._copied_kib
        if info.domid not in self._xend.infos:
            raise Refused(f"Domain '{self._name}' was destroyed while it was being saved")
        if not left_kib:
            self.steps.end(MEMORY_STEP)
            self._write()
            return
        kib = min(left_kib, BATCH_KIB)
        self._copied_kib += kib
        self._xend.hypervisor.copy_memory(info.domid, kib, is_write=True, done=self._copied)

    def _copied(self) -> None:
        self.step(self._copy)

    def _write(self) -> None:
        from hypervisor.toolstack.records.savefile import SavedImage, write_save

        xend, info = self._xend, self._info
        spec = current_spec(info)
        pages, total = self._suspended_kib // PAGE_KIB, spec.memory_kib // PAGE_KIB
        absent = ((pages, total - pages),) if total > pages else ()
        image = SavedImage(pages, absent, xend.hypervisor.saved_state(info.domid))
        write_save(self._path, to_text(config_sxp(spec)), image)
        xend.log.debug(Messages.save_written)
        xend.events["saved"] += 1
        if self._is_checkpoint:
            self._resume()
        else:
            self._endings.destroy(info)
        self.finish()

    def _resume(self) -> None:
        xend, info = self._xend, self._info
        info.is_saving = False
        if info.domid not in xend.infos:
            return
        names = {other.name for other in xend.infos.values()} | xend.reserved.keys()
        if self._name not in names:  # otherwise another domain has taken it meanwhile
            rename(xend.store, info, self._name)
            xend.hypervisor.rename_domain(info.domid, self._name)
        xend.store.remove(f"{info.path}/control/shutdown")
        if xend.hypervisor.domain_state(info.domid).shutdown_reason == SUSPEND:
            info.shutdown_was_seen = False
            xend.hypervisor.resume_domain(info.domid)

    def end(self, result: object, error: HostError | None) -> None:
        """Let other operations write the file, and end."""
        self._xend.being_written.discard(self._target)
        super().end(result, error)

    def undo(self) -> None:
        """Resume the domain under its old name, so that a failed save loses nothing."""
        self._xend.log.error(Messages.save_failed, self._name, self._info.domid)
        self._resume()


class Restoring(Creation):
    """Creates a domain from a file; the result is its id."""

    EVENT = "restored"
    KIND = "restore"

    def __init__(self, xend: XendContext, path: str, *, paused: bool) -> None:
        """Read the file. Raises: HostError if it cannot be used."""
        from hypervisor.toolstack.records.savefile import read_save

        saved = read_save(path)
        pcpus = xend.hypervisor.physical_info().pcpus
        spec = spec_from_sxp(parse(saved.sxp_text), tools=xend.tools, pcpus=pcpus, draw=xend.draw)
        pages_kib = saved.image.pages * PAGE_KIB
        if not 0 < pages_kib <= max(spec.memory_kib, spec.maximum_kib or 0):
            raise Refused(f"{path}: its memory image does not fit its configuration; damaged?")
        spec = replace(spec, memory_kib=pages_kib)
        super().__init__(xend, spec, paused=paused, saved=saved.image.state)
        self._left_kib = pages_kib

    def _build(self) -> None:
        self.steps.begin(MEMORY_STEP)
        self._load()

    def _load(self) -> None:
        kib = min(self._left_kib, BATCH_KIB)
        if not kib:
            self.steps.end(MEMORY_STEP)
            super()._build()
            return
        self._left_kib -= kib
        self._xend.hypervisor.copy_memory(0, kib, is_write=False, done=self._loaded)

    def _loaded(self) -> None:
        self.step(self._load)

    def undo(self) -> None:
        """Log the failure, and undo the creation."""
        self._xend.log.error(Messages.restore_failed)
        super().undo()


def check_idle(xend: XendContext, info: DomainInfo) -> None:
    """Raise Refused for a domain that is being saved or has shut down."""
    if info.is_saving:
        raise Refused(f"Domain '{info.name}' is being saved already")
    if xend.hypervisor.domain_state(info.domid).shutdown_reason is not None:
        raise Refused(f"Domain '{info.name}' has shut down; destroy it")
