"""A guest's kernel: tasks on vcpus, timers, interrupts. Domain 0 also is a guest here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, cast

from hypervisor.host import Task
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import (
    KERNEL,
    NOTHING,
    AnyWork,
    Parts,
    Q,
    TaskIdentity,
    Work,
)
from hypervisor.model.cpu.accounting import add_debt
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.processtable import ProcessTable
from hypervisor.model.domain.behalf import ITSELF
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.domain.evtchn import Port

Arg = TypeVar("Arg")

FIRST_TGID: Final = 1000  # smaller pids are those of daemons started at boot


@dataclass(frozen=True, slots=True)
class Process:
    """A process and the memory that it needs."""

    tgid: int
    name: str  # as the kernel shows it, without its directory
    working_set_kib: int


class Pager(Protocol):
    """Manages the guest's memory (`memory.paging.Paging`)."""

    def demand_changed(self) -> None:
        """Make room for a new process that needs memory."""
        ...

    def ended(self, process: Process) -> None:
        """Free the pages of a process that has ended."""
        ...

    def is_alive(self, task: TaskIdentity) -> bool:
        """Return whether the task's process has not been killed."""
        ...

    def admit(self, work: AnyWork) -> bool:
        """Cut `work` at its next touch of a missing page; return False if its process is dead."""
        ...


class Guest:
    """The kernel of one domain."""

    def __init__(
        self,
        domain: Domain,
        execution: Execution,
        code: CodeBook,
        panic: Callable[[], object],
        plugging: Callable[[Vcpu], object],
    ) -> None:
        """`panic()`: the kernel gives up; `plugging(vcpu)`: a vcpu will come online."""
        self.domain = domain
        self.execution = execution
        self.code = code
        self.tasks: dict[int, Task] = {}
        self.processes: dict[int, Process] = {}  # processes with memory of their own
        self.table = ProcessTable(len(domain.vcpus))
        self._pager: Pager | None = None
        self._gate: Pager | None = None  # the pager, while it must admit tasks
        self.panic = panic
        self.ticks = domain.ticks
        self._plugging = plugging
        self._next_tgid = FIRST_TGID
        self._units = code.hvm_units if domain.is_hvm else code.units
        # An HVM guest's timers expire at its ticks, whose interrupts are paid for (hvm.ticks).
        names = ("set_timer",) if domain.is_hvm else ("evtchn_upcall", "set_timer")
        timer = [self._units[name] for name in names]
        self._timer_parts = [(unit.path, unit.cycles << Q) for unit in timer]
        self._timer_calls = sum(unit.hypercalls for unit in timer)

    def page_with(self, pager: Pager) -> None:
        """Set the pager, which is told of processes that need memory."""
        self._pager = pager

    def guard_tasks(self, *, is_on: bool) -> None:
        """Begin or stop asking the pager before a task runs."""
        self._gate = self._pager if is_on else None

    def path(self, name: str) -> int:
        """Return the index of the path that this guest executes under a name."""
        return self._units[name].path

    def parts(self, *counts: tuple[str, int]) -> Parts:
        """Return the parts for repeat counts of code paths, which are given by name.

        They are to be executed by this guest: the hypercalls in them are counted now.
        """
        return self.parts_of(list(counts))

    def parts_of(self, counts: list[tuple[str, int]]) -> Parts:
        """Return the parts for a list of repeat counts; see `parts`."""
        units = self._units
        parts: list[object] = []
        called = 0
        for name, count in counts:
            if count:
                unit = units[name]
                parts.append(unit.part(count))
                called += unit.hypercalls * count
        self.domain.hypercalls += called
        return cast(Parts, parts)

    def work(
        self,
        counts: list[tuple[str, int]],
        done: Callable[[Work[Arg]], None] | None = None,
        arg: Arg = NOTHING,
        *,
        task: TaskIdentity = KERNEL,
        beneficiary: int = ITSELF,
    ) -> Work[Arg]:
        """Return work of such repeat counts; see `parts` and `Work`."""
        return Work(self.parts_of(counts), done, arg, task=task, beneficiary=beneficiary)

    def spawn(self, program: str, threads: int = 1, working_set_kib: int = 0) -> list[TaskIdentity]:
        """Start a process and return its threads; the first thread's tid is the tgid."""
        tgid = self.claim(program, working_set_kib, threads)
        self.tasks[tgid] = Task(tgid, program, self.code.mappings(program))
        identities = [TaskIdentity(tgid, tgid + n, program) for n in range(threads)]
        self.table.add(tgid, identities)
        return identities

    def start_kernel_thread(self, name: str) -> tuple[int, TaskIdentity]:
        """Start a thread of the kernel; return its pid and the thread."""
        pid = self.claim("", 0)
        return pid, self.table.start_kernel_thread(pid, name)

    def end(self, tgid: int) -> None:
        """End a process for good: its memory is free, /proc does not show it any more.

        What it has queued still runs. The record of it stays, for samples not yet attributed.
        """
        self.table.end(tgid)
        process = self.processes.pop(tgid, None)
        if process is not None and self._pager is not None:
            self._pager.ended(process)

    def daemon(self, name: str, program: str) -> TaskIdentity:
        """Return a thread of the daemon `name`, which was started at boot and runs `program`."""
        tgid = next(tgid for tgid, one in self.processes.items() if one.name == name)
        self.tasks[tgid] = Task(tgid, program, self.code.mappings(program))
        thread = TaskIdentity(tgid, tgid, program)
        self.table.add(tgid, [thread])
        return thread

    def claim(self, program: str, working_set_kib: int, threads: int = 1) -> int:
        """Register a new process that needs memory and may never run; return its tgid."""
        tgid = self._next_tgid
        self._next_tgid += threads
        if working_set_kib:
            name = program.rpartition("/")[2]
            self.processes[tgid] = Process(tgid, name, working_set_kib)
            if self._pager is not None:
                self._pager.demand_changed()
        return tgid

    def run(self, work: AnyWork) -> None:
        """Make a task runnable on its last vcpu if that is idle, else on the least loaded one."""
        if self._gate is not None and not self._gate.admit(work):
            return
        self.enqueue(work)

    def enqueue(self, work: AnyWork) -> None:
        """Make a task runnable without asking the pager."""
        task = work.task
        vcpu = self._place(task)
        if task.tgid:  # all hosts share one record of kernel threads
            task.vcpu = vcpu.vcpu_id
        self.execution.run_task(vcpu, work)

    def _place(self, task: TaskIdentity) -> Vcpu:
        vcpus = self.domain.vcpus
        last = vcpus[task.vcpu] if task.vcpu < len(vcpus) else vcpus[0]
        if last.online and not last.wants_to_run:
            return last
        best = last if last.online else vcpus[0]
        load = len(best.tasks) + (best.current is not None)
        for vcpu in vcpus:
            queued = len(vcpu.tasks) + (vcpu.current is not None)
            if vcpu.online and queued < load:
                best, load = vcpu, queued
        return best

    def interrupt(self, vcpu_id: int, work: AnyWork) -> None:
        """Deliver an event channel upcall to a vcpu; `work` is its handler."""
        vcpus = self.domain.vcpus
        vcpu = vcpus[vcpu_id] if vcpu_id < len(vcpus) and vcpus[vcpu_id].online else vcpus[0]
        self.execution.interrupt(vcpu, work)

    def notify(self, port: Port, peer: Port, vcpu_id: int, events: int = 1) -> None:
        """Send `events` notifications over a port to its peer; `vcpu_id` is charged for them."""
        port.notify(peer, events)
        add_debt(self.domain.vcpus[vcpu_id], self.parts_of([("evtchn_send", events)]))

    def wake_at(
        self, at_ns: int, task: TaskIdentity, make: Callable[[Arg], AnyWork | None], arg: Arg
    ) -> None:
        """Let `task` sleep until `at_ns`, then charge the timer and run `make(arg)`.

        If that is None, the task is not woken, as it has not begun its earlier work yet.
        """
        self.execution.clock.schedule(at_ns, self._timer, (task, make, arg))

    def _timer(self, entry: tuple[TaskIdentity, Callable[[Arg], AnyWork | None], Arg]) -> None:
        task, make, arg = entry
        if self.domain.dying or (self._gate is not None and not self._gate.is_alive(task)):
            return
        work = make(arg)
        if work is None:
            return
        work.task = task
        if self._gate is not None and not self._gate.admit(work):
            return
        work.ready_ns = self.execution.clock.now
        vcpu = self._place(task)
        task.vcpu = vcpu.vcpu_id
        add_debt(vcpu, self._timer_parts)
        self.domain.hypercalls += self._timer_calls
        self.execution.run_task(vcpu, work)

    def unplug(self, vcpu: Vcpu) -> None:
        """Take a vcpu offline: its tasks and interrupts move to vcpu 0."""
        vcpu.online = False
        self.execution.stop(vcpu)
        self.execution.decide_now()
        moved = list(vcpu.interrupts)
        if vcpu.current is not None:
            target = moved if vcpu.current_is_interrupt else vcpu.tasks
            target.insert(0, vcpu.current)
            vcpu.current = None
        vcpu.interrupts.clear()
        for work in moved:
            self.execution.interrupt(self.domain.vcpus[0], work)
        tasks = list(vcpu.tasks)
        vcpu.tasks.clear()
        for work in tasks:
            self.run(work)

    def plug(self, vcpu: Vcpu) -> None:
        """Bring a vcpu online; a task that waits on another vcpu moves to it."""
        self._plugging(vcpu)
        vcpu.online = True
        self.execution.resume(vcpu)
        for other in self.domain.vcpus:
            if other.tasks and (other.current is not None or len(other.tasks) > 1):
                self.execution.run_task(vcpu, other.tasks.pop())
                return
