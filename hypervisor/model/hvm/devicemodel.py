"""qemu-dm, the process in domain 0 that has the devices of a fully virtualized guest.

A vcpu that accesses a device exits; Xen puts the access into the one slot that the vcpu has in a
page it shares with qemu-dm, sends it an event, and blocks the vcpu until the answer. qemu-dm does
one thing at a time. Accesses that follow each other without anything between them are moved
together here, each with its own cost and its own two waits.
Source: xen/arch/x86/hvm/platform.c (send_pio_req), tools/ioemu/target-i386-dm/helper2.c (3.0.3).
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.domain.runstate import BLOCKED
from hypervisor.trace_events import BLOCK

QEMU_DM: Final = "/usr/lib64/xen/bin/qemu-dm"
# From an event to the first instruction of a domain that slept, and the same for its answer: an
# interrupt of a processor that waits in hlt (judgement; what is executed is in the paths).
WAKE_NS: Final = 3_000

Costs = list[tuple[str, int]]
Arg = TypeVar("Arg")


class Job(Generic[Arg]):
    """Something that qemu-dm has to do; `done(arg)` is called in domain 0 when it is done.

    A vcpu of the guest may wait for it.
    """

    __slots__ = ("arg", "costs", "done", "vcpu")

    def __init__(
        self, costs: Costs, done: Callable[[Arg], None], arg: Arg, vcpu: Vcpu | None
    ) -> None:
        self.costs = costs
        self.done = done
        self.arg = arg
        self.vcpu = vcpu


class DeviceModel:
    """The device model of one guest: a process of domain 0, with a thread for its disks."""

    def __init__(self, server: Guest, guest: Guest) -> None:
        """`server` is domain 0."""
        self.server = server
        self.guest = guest
        self.domid = guest.domain.domid
        self.thread, self.disk_thread = server.spawn(QEMU_DM, threads=2)
        self.interrupts = 0  # that disks and cards have raised
        self._jobs: deque[Job[Any]] = deque()
        self._is_busy = False
        self._is_gone = False

    @property
    def pid(self) -> int:
        """Return its pid in domain 0."""
        return self.thread.tgid

    @property
    def threads(self) -> tuple[TaskIdentity, TaskIdentity]:
        """Return the thread of the loop and that of the disks."""
        return self.thread, self.disk_thread

    def end(self) -> None:
        """End the process, as its guest is gone."""
        self._is_gone = True
        self._jobs.clear()
        self.server.end(self.pid)

    def access(
        self,
        vcpu_id: int,
        accesses: int,
        costs: Costs,
        done: Callable[[Arg], None],
        arg: Arg,
    ) -> None:
        """Have a vcpu, which has exited so many times, wait for qemu-dm.

        `costs` is what qemu-dm does besides.
        """
        vcpu = self.guest.domain.vcpus[vcpu_id]
        execution = self.guest.execution
        job = Job([("qemu_access", accesses), *costs], done, arg, vcpu)
        _block(execution, vcpu)
        clock = execution.clock
        clock.schedule(clock.now + 2 * WAKE_NS * accesses, self._queue, job)

    def serve(self, costs: Costs, done: Callable[[Arg], None], arg: Arg) -> None:
        """Do something for which no vcpu waits: packets or data have come."""
        self._queue(Job(costs, done, arg, None))

    def _queue(self, job: Job[Any]) -> None:
        if self._is_gone:
            return
        self._jobs.append(job)
        if not self._is_busy:
            self._next()

    def _next(self) -> None:
        self._is_busy = bool(self._jobs)
        if self._jobs:
            job = self._jobs.popleft()
            parts = self.server.parts_of(job.costs)
            self.server.run(
                Work(parts, self._served, job, task=self.thread, beneficiary=self.domid)
            )

    def _served(self, work: Work[Job[Any]]) -> None:
        job = work.arg
        if self._is_gone:
            return
        if job.vcpu is not None:
            _unblock(self.guest.execution, job.vcpu)
        job.done(job.arg)
        self._next()


def _block(execution: Execution, vcpu: Vcpu) -> None:
    """Block a vcpu in Xen until it is answered (prepare_wait_on_xen_event_channel)."""
    vcpu.awaited += 1
    if vcpu.runnable:
        vcpu.runnable = False
        if execution.trace.is_on:
            execution.trace.vcpu(BLOCK, vcpu)
        execution.scheduler.sleep(vcpu)
        if not vcpu.is_running:
            vcpu.runstate.change(BLOCKED, execution.clock.now)
        execution.decide_now()


def _unblock(execution: Execution, vcpu: Vcpu) -> None:
    vcpu.awaited -= 1
    if not vcpu.awaited and vcpu.wants_to_run:
        execution.wake(vcpu)
