"""The order of the tasks on a vcpu, as the guest's kernel keeps it: sleepers go before hogs.

A hog that has waited too long gets one timeslice all the same, in which sleepers wait.
Source: Linux 2.6.18, kernel/sched.c (effective_prio, EXPIRED_STARVING).
"""

from typing import Final

from hypervisor.model.codebook.work import AnyWork
from hypervisor.model.domain.domain import GUEST_TIMESLICE_NS, Vcpu

STARVATION_NS: Final = 1_000_000_000  # STARVATION_LIMIT, for each task that wants to run


class RunQueue:
    """The rules of the run queues of all guests' vcpus."""

    def __init__(self, interactive_q: int) -> None:
        """A task that has executed `interactive_q` cycles without sleeping is a hog."""
        self._interactive_q = interactive_q

    def is_hog(self, work: AnyWork) -> bool:
        """Return whether a task has computed for a while, or always computes."""
        return work.remaining_q < 0 or work.executed_q >= self._interactive_q

    def yields(self, vcpu: Vcpu, work: AnyWork, now_ns: int) -> bool:
        """Return whether the vcpu's present task is put back for one that has slept."""
        return self.is_hog(work) and now_ns >= vcpu.turn_ns

    def put_back(self, vcpu: Vcpu, work: AnyWork, now_ns: int) -> None:
        """Note that a task that has just run waits again."""
        if self.is_hog(work):
            vcpu.hog_ns = now_ns

    def place(self, vcpu: Vcpu, work: AnyWork, now_ns: int) -> None:
        """Queue a task that has slept, or that has just been started."""
        tasks = vcpu.tasks
        place = len(tasks)
        for index, other in enumerate(tasks):
            if self.is_hog(other):
                place = index
                break
        else:
            if work.remaining_q < 0:
                vcpu.hog_ns = now_ns
        tasks.insert(place, work)

    def take(self, vcpu: Vcpu, now_ns: int) -> AnyWork:
        """Remove the task that is next, and return it."""
        tasks = vcpu.tasks
        count = len(tasks)
        if count > 1 and self.is_hog(tasks[-1]) and not self.is_hog(tasks[0]):
            has_turn = now_ns < vcpu.turn_ns
            if has_turn or now_ns - vcpu.hog_ns > STARVATION_NS * count:
                index = 1
                while not self.is_hog(tasks[index]):
                    index += 1
                if not has_turn:
                    vcpu.turn_ns = now_ns + GUEST_TIMESLICE_NS
                    tasks[index].ran_ns = 0
                return tasks.pop(index)
        return tasks.pop(0)
