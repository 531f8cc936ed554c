"""Keeps the processes and kernel threads of a guest by pid: which live, and how long they ran."""

from collections.abc import Iterator, Sequence
from typing import Final

from hypervisor.model.codebook.work import TaskIdentity

EVENTS: Final = "events/0"  # balloon, and the oprofile driver's syncs
KSWAPD: Final = "kswapd0"
XENWATCH: Final = "xenwatch"
FIRST_PID: Final = 2  # 1 is init


class ProcessTable:
    """The threads of a guest.

    A process may end and be started again under its pid, as a daemon or a script is; its time then
    starts from 0. Times of ended processes are kept by program, so that sums only grow.
    """

    __slots__ = ("_ended", "_ended_ns", "_threads", "kernel_threads")

    def __init__(self, vcpus: int) -> None:
        """Start the kernel threads of a kernel with `vcpus` processors."""
        self._threads: dict[int, list[TaskIdentity]] = {}
        self._ended: set[int] = set()
        self._ended_ns: dict[str, int] = {}
        self.kernel_threads: dict[int, str] = {}
        for number, name in enumerate(_boot_threads(vcpus)):
            self.start_kernel_thread(FIRST_PID + number, name)

    def kernel_thread(self, name: str) -> TaskIdentity:
        """Return a thread that the kernel starts when it boots. Raises: StopIteration."""
        pid = next(pid for pid, other in self.kernel_threads.items() if other == name)
        return self._threads[pid][0]

    def start_kernel_thread(self, pid: int, name: str) -> TaskIdentity:
        """Start a thread of the kernel, which has no address space."""
        thread = TaskIdentity(0, 0, "")
        self._threads[pid] = [thread]
        self.kernel_threads[pid] = name
        return thread

    def add(self, pid: int, threads: Sequence[TaskIdentity]) -> None:
        """Add threads to a process, which is new or lives already."""
        self._threads.setdefault(pid, []).extend(threads)

    def end(self, pid: int) -> None:
        """End a process or a kernel thread."""
        self._ended.add(pid)
        for thread in self.threads(pid):
            program = thread.program
            self._ended_ns[program] = self._ended_ns.get(program, 0) + thread.spent_ns
            thread.spent_ns = 0

    def restart(self, pid: int) -> None:
        """Start a process again that has ended."""
        self._ended.discard(pid)

    def is_ended(self, pid: int) -> bool:
        """Return whether a process has ended."""
        return pid in self._ended

    def threads(self, pid: int) -> Sequence[TaskIdentity]:
        """Return the threads of a process, none if it has never run."""
        return self._threads.get(pid, ())

    def spent_ns(self, pid: int) -> int:
        """Return how long a process has run."""
        return sum(thread.spent_ns for thread in self.threads(pid))

    def program_ns(self, program: str) -> int:
        """Return how long all processes of a program have run."""
        mine = (thread.spent_ns for thread in self._all() if thread.program == program)
        return self._ended_ns.get(program, 0) + sum(mine)

    def all_ns(self) -> int:
        """Return how long all processes and kernel threads have run: the rest is interrupts."""
        return sum(self._ended_ns.values()) + sum(thread.spent_ns for thread in self._all())

    def _all(self) -> Iterator[TaskIdentity]:
        for threads in self._threads.values():
            yield from threads


def _boot_threads(vcpus: int) -> list[str]:
    """Return the names of the kernel threads of RHEL 5 on Xen, in the order of their pids."""
    names: list[str] = []
    for vcpu in range(vcpus):
        names += [f"migration/{vcpu}", f"ksoftirqd/{vcpu}", f"watchdog/{vcpu}"]
    names += [f"events/{vcpu}" for vcpu in range(vcpus)]
    names += ["khelper", "kthread", XENWATCH, "xenbus"]
    names += [f"kblockd/{vcpu}" for vcpu in range(vcpus)]
    names += ["khubd", "kseriod", "pdflush", "pdflush", KSWAPD]
    names += [f"aio/{vcpu}" for vcpu in range(vcpus)]
    return [*names, "kjournald"]
