"""What the toolstack has domain 0 do: programs that it starts, and memory that it copies.

Source: tools/libxc/xc_linux_save.c (pages mapped and written in batches), tools/examples/*.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.io.blkif import BlockBackend
from hypervisor.model.io.disk import DiskRequest
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.toolstack.hypercalls import Done, Program

CYCLES_PER_KILOCYCLE = 1000
# Where on the disk /var/lib/xen lies: behind the virtual disks (judgement).
SAVE_SECTORS = range(270_000_000, 285_000_000)
REQUEST_KIB = 512
XEND = "background_dom0"
XENSTORED = "background_xenstored"
# A tenth of a script's time goes by in xenstored: some twenty reads and writes of 0.3 ms
# (judgement).
XENSTORED_SHARE = 10
PROGRAMS: dict[Program, str] = {
    "hotplug": "hotplug_script",
    "xend": XEND,
    "builder": "domain_build",
}


class Domain0:
    """Runs programs of the toolstack in domain 0."""

    def __init__(self, guest: Guest, blkback: BlockBackend, mhz: int) -> None:
        self._guest = guest
        self._blkback = blkback
        self._mhz = mhz
        # One process for each program, made when it first runs: it stands for all that come later.
        self._tasks: dict[str, TaskIdentity] = {}
        self._task(XEND)
        self._sector = SAVE_SECTORS.start

    def run(self, program: Program, milliseconds: int, done: Done) -> None:
        """Run a program of so much time on an unshared core; call `done()` when it has ended."""
        kilocycles = milliseconds * self._mhz * 1000 // CYCLES_PER_KILOCYCLE
        if program == "hotplug":
            in_store = kilocycles // XENSTORED_SHARE
            self._run(PROGRAMS[program], kilocycles - in_store, self._scripted, (in_store, done))
        else:
            self._run(PROGRAMS[program], kilocycles, _ended, done)

    def _scripted(self, work: Work) -> None:
        kilocycles, done = work.arg
        self._run(XENSTORED, kilocycles, _ended, done)

    def _run(self, path: str, units: int, done: Callable[[Work], None], arg: Any) -> None:
        parts = self._guest.parts((path, units))
        self._guest.run(Work(parts, done, arg, task=self._task(path)))

    def _task(self, path: str) -> TaskIdentity:
        """Return the process that runs a path: the one that there is, or else a new one."""
        guest = self._guest
        program = guest.code.paths[guest.code.index[path]].program or path
        if program not in self._tasks:
            tgids = [tgid for tgid, task in guest.tasks.items() if task.program == program]
            self._tasks[program] = (
                TaskIdentity(tgids[0], tgids[0], program) if tgids else guest.spawn(program)[0]
            )
        return self._tasks[program]

    def copy(self, path: str, domid: int, kib: int, *, is_write: bool, done: Done) -> None:
        """Copy memory of a domain to or from this domain's disk: first one, then the other.

        `path` is the code path of one page.
        """
        pages, requests = -(-kib // PAGE_KIB), -(-kib // REQUEST_KIB)
        parts = self._guest.parts((path, pages), ("disk_submit", requests))
        work = Work(parts, self._copied, (domid, kib, is_write, done), task=self._task(path))
        work.beneficiary = domid or -1
        self._guest.run(work)

    def _copied(self, work: Work) -> None:
        domid, kib, is_write, done = work.arg
        transfer = Transfer(-(-kib // REQUEST_KIB), done)
        requests = []
        while kib > 0:
            size = min(kib, REQUEST_KIB)
            requests.append(DiskRequest(domid, self._sector, size * 1024, is_write, transfer))
            self._sector += size * 2
            kib -= size
        if self._sector >= SAVE_SECTORS.stop:
            self._sector = SAVE_SECTORS.start
        self._blkback.disk.submit(requests)

    def completed(self, requests: Sequence[DiskRequest]) -> None:
        """The disk has finished an operation: its own requests here, the others in blkback."""
        others = [request for request in requests if not isinstance(request.tag, Transfer)]
        if others:
            self._blkback.completed(others)
        mine = [request for request in requests if isinstance(request.tag, Transfer)]
        if mine:
            parts = self._guest.parts(("disk_interrupt", 1))
            work = Work(parts, self._answered, mine)
            self._guest.interrupt(self._blkback.vcpu, work)

    def _answered(self, work: Work) -> None:
        for request in work.arg:
            request.tag.answered()


class Transfer:
    """So many disk requests that are still to be answered."""

    def __init__(self, requests: int, done: Done) -> None:
        self._missing = requests
        self._done = done

    def answered(self) -> None:
        """Count an answer; the last one ends it."""
        self._missing -= 1
        if not self._missing:
            self._done()


def _ended(work: Work) -> None:
    done: Done = work.arg
    done()
