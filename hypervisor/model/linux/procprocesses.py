"""Makes the /proc files of processes and kernel threads.

The times of all of them add up to the user and system time in /proc/stat, except for those that
have ended.
"""

from collections.abc import Mapping
from typing import Final

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.cpu.guest import Process
from hypervisor.model.cpu.processtable import XENWATCH
from hypervisor.model.domain.modes import PathModes, user_kernel_ns
from hypervisor.model.linux.proctimes import USER_TICK_NS, running_tasks
from hypervisor.model.linux.system import System
from hypervisor.model.memory.pages import PAGE_KIB

_FIELDS: Final = 24  # of /proc/PID/stat, up to rss
_OF_XEN: Final = (XENWATCH, "xenbus")


class Processes:
    """The processes of all domains of a host, as their kernels show them."""

    def __init__(self, code: CodeBook, modes: PathModes) -> None:
        """`modes` has the user cycles of each path."""
        self._modes = modes
        self._paths: dict[str, list[int]] = {}
        for path in code.paths:
            if path.program:
                self._paths.setdefault(path.program, []).append(path.index)

    def living(self, system: System) -> Mapping[int, Process]:
        """Return the processes and kernel threads that live, by pid."""
        guest, table = system.guest, system.guest.table
        found = dict(guest.processes)
        for pid, name in table.kernel_threads.items():
            if system.domain.kind != "hvm" or name not in _OF_XEN:
                found[pid] = Process(pid, name, 0)
        for tgid, task in guest.tasks.items():
            if tgid not in found:
                found[tgid] = Process(tgid, task.program.rpartition("/")[2], 0)
        return {
            pid: found[pid]
            for pid in sorted(found)
            if not table.is_ended(pid) and system.paging.is_alive(TaskIdentity(pid, pid, ""))
        }

    def stat(self, system: System, pid: int, living: Mapping[int, Process]) -> str:
        """Return the text of /proc/PID/stat."""
        process = living[pid]
        threads = system.guest.table.threads(pid)
        fields: list[object] = [0] * _FIELDS
        is_running = any(task in threads for task in running_tasks(system.domain))
        fields[:4] = [pid, f"({process.name[:15]})", "R" if is_running else "S", 1]
        fields[13:15] = [ns // USER_TICK_NS for ns in self.times_ns(system, pid)]
        resident_kib = process.working_set_kib
        all_kib = sum(one.working_set_kib for one in living.values())
        if all_kib:
            resident_kib = resident_kib * (all_kib - system.paging.swapped_kib) // all_kib
        fields[22:24] = [process.working_set_kib * 1024, resident_kib // PAGE_KIB]
        return " ".join(map(str, fields)) + "\n"

    def times_ns(self, system: System, pid: int) -> tuple[int, int]:
        """Return user and system time of a process.

        The user time of processes that run the same program is divided like their whole time.
        """
        table = system.guest.table
        spent_ns = table.spent_ns(pid)
        if not spent_ns:
            return 0, 0
        program = table.threads(pid)[0].program
        user_ns = self._user_ns(system, program) * spent_ns // table.program_ns(program)
        return user_ns, spent_ns - user_ns

    def _user_ns(self, system: System, program: str) -> int:
        modes = self._modes
        return sum(
            user_kernel_ns(spent_ns[path], modes[path])[0]
            for spent_ns in (times.by_path() for times in system.domain.path_ns.values())
            for path in self._paths.get(program, ())
        )
