"""Runs the toolstack's programs in domain 0, and copies memory for it.

Source: tools/libxc/xc_linux_save.c (pages mapped and written in batches), tools/examples/*.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.dom0.housekeeping import DAEMONS
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.storage.disk import Disk
from hypervisor.model.storage.request import DiskRequest
from hypervisor.toolstack.config.devices import SYSTEM_SECTORS
from hypervisor.toolstack.hypercalls import Done, Program

Arg = TypeVar("Arg")

CYCLES_PER_KILOCYCLE: Final = 1000
# Where /var/lib/xen is on the disk: in domain 0's own partitions, before the virtual disks
# (judgement).
SAVE_SECTORS: Final = range(1_000_000, SYSTEM_SECTORS)
REQUEST_KIB: Final = 512
XEND: Final = "background_dom0"
XENSTORED: Final = "background_xenstored"
# A tenth of a script's time is spent in xenstored: about twenty reads and writes of 0.3 ms
# (judgement).
XENSTORED_SHARE: Final = 10
PROGRAMS: Final[dict[Program, str]] = {
    "hotplug": "hotplug_script",
    "xend": XEND,
    "builder": "domain_build",
}


class Copy(NamedTuple):
    """Memory to be copied to or from the disk, and what is called at the end."""

    path: str
    kib: int
    is_write: bool
    done: Done


class Transfer:
    """The disk requests of one copy, which ends when the last of them has been answered."""

    def __init__(self, requests: int, path: str, done: Done) -> None:
        self._missing = requests
        self.path = path
        self._done = done

    def answered(self) -> bool:
        """Count an answer; the last one ends the copy, which is returned."""
        self._missing -= 1
        if self._missing:
            return False
        self._done()
        return True


class Domain0:
    """Runs programs of the toolstack in domain 0."""

    def __init__(self, guest: Guest, disk: Disk, disk_vcpu: int, mhz: int) -> None:
        """`disk_vcpu` is the vcpu that gets the disk's interrupts."""
        self._guest = guest
        self._disk = disk
        self._disk_vcpu = disk_vcpu
        self._mhz = mhz
        # One process for each program, created when it first runs; it stands for all later ones.
        self._tasks: dict[str, TaskIdentity] = {}
        self._runs = {self._task(XEND).tgid: 1}  # at present; xend never ends
        self._sector = SAVE_SECTORS.start

    def run(self, program: Program, milliseconds: int, done: Done) -> None:
        """Run a program for `milliseconds` of an unshared core; call `done()` when it has ended."""
        kilocycles = milliseconds * self._mhz * 1000 // CYCLES_PER_KILOCYCLE
        if program == "hotplug":
            in_store = kilocycles // XENSTORED_SHARE
            self._begin(PROGRAMS[program])
            self._run(PROGRAMS[program], kilocycles - in_store, self._scripted, (in_store, done))
        else:
            self._run(PROGRAMS[program], kilocycles, _ended, done)

    def _scripted(self, work: Work[tuple[int, Done]]) -> None:
        kilocycles, done = work.arg
        self._run(XENSTORED, kilocycles, _ended, done)
        self._end(PROGRAMS["hotplug"])

    def _run(self, path: str, units: int, done: Callable[[Work[Arg]], None], arg: Arg) -> None:
        parts = self._guest.parts((path, units))
        self._guest.run(Work(parts, done, arg, task=self._task(path)))

    def _task(self, path: str) -> TaskIdentity:
        """Return the process that runs a path, which is created the first time."""
        guest = self._guest
        program = guest.code.paths[guest.code.index[path]].program or path
        if program not in self._tasks:
            name = DAEMONS.get(path)
            self._tasks[program] = (
                guest.spawn(program)[0] if name is None else guest.daemon(name, program)
            )
        return self._tasks[program]

    def _begin(self, path: str) -> None:
        """Begin a run of the program of a path, which ends with the last of its runs."""
        tgid = self._task(path).tgid
        self._runs[tgid] = self._runs.get(tgid, 0) + 1
        self._guest.table.restart(tgid)

    def _end(self, path: str) -> None:
        tgid = self._task(path).tgid
        self._runs[tgid] -= 1
        if not self._runs[tgid]:
            self._guest.table.end(tgid)

    def copy(self, path: str, domid: int, kib: int, *, is_write: bool, done: Done) -> None:
        """Copy memory of a domain to or from this domain's disk.

        `path` is the code path of one page.
        """
        pages, requests = -(-kib // PAGE_KIB), -(-kib // REQUEST_KIB)
        self._begin(path)
        parts = self._guest.parts((path, pages), ("disk_submit", requests))
        arg = Copy(path, kib, is_write, done)
        work = Work(parts, self._copied, arg, task=self._task(path))
        work.beneficiary = domid or -1
        self._guest.run(work)

    def _copied(self, work: Work[Copy]) -> None:
        path, kib, is_write, done = work.arg
        transfer = Transfer(-(-kib // REQUEST_KIB), path, done)
        requests = []
        while kib > 0:
            size = min(kib, REQUEST_KIB)
            requests.append(DiskRequest(self, self._sector, size * 1024, is_write, transfer))
            self._sector += size * 2
            kib -= size
        if self._sector >= SAVE_SECTORS.stop:
            self._sector = SAVE_SECTORS.start
        self._disk.submit(requests)

    def completed(self, requests: Sequence[DiskRequest[Transfer]]) -> None:
        """Handle the disk's interrupt for finished requests."""
        parts = self._guest.parts(("disk_interrupt", 1))
        self._guest.interrupt(self._disk_vcpu, Work(parts, self._answered, requests))

    def _answered(self, work: Work[Sequence[DiskRequest[Transfer]]]) -> None:
        for request in work.arg:
            if request.tag.answered():  # and did not go on at once with another copy
                self._end(request.tag.path)


def _ended(work: Work[Done]) -> None:
    work.arg()
