"""A guest that wants more memory than it has: swapping, thrashing, out of memory.

How often a task has to wait for a page is worked out in closed form, from one touch to the
next that misses; only the wait itself is an event. A guest that has all it wants pays nothing,
and nothing here is asked. What the page cache does for reads is not modelled: it is what is left.
Source: Linux 2.6.18, mm/vmscan.c, mm/memory.c (do_swap_page), mm/oom_kill.c.
"""

from collections import deque
from collections.abc import Mapping
from math import isqrt

from hypervisor.model.codebook.work import (
    ENDLESS,
    KERNEL,
    AnyWork,
    Parts,
    TaskIdentity,
    Work,
    split,
)
from hypervisor.model.cpu.guest import Guest, Process
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.io.blkif import BlockIo
from hypervisor.model.io.devices import Devices
from hypervisor.model.memory.footprint import KERNEL_IMAGE_KIB, kernel_kib, start_daemons
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.memory.saved import SavedPaging
from hypervisor.model.memory.swap import CLUSTER_KIB, Swap
from hypervisor.model.timing.random_stream import Streams

# A program that computes comes to another cluster of eight pages every half millisecond, 64 MB/s:
# less than a server copies for its requests, more than a blocked matrix goes through (judgement).
TOUCH_NS = 500_000
# Nobody is so short that more than 63 of 64 touches miss: a page stays until it was used once.
MISS_SHARE = 64
# Half of what is taken away to make room has been changed since it was read, and is written
# (judgement).
CHANGED_SHARE = 2
LOT_KIB = 512  # written in one go; SWAP_CLUSTER_MAX pages is the least worth starting for
LOT_MIN_KIB = 32 * PAGE_KIB
# With more than this to be written, who needs a page waits for the disk as well, as in
# blk_congestion_wait (judgement: eight lots).
BACKLOG_KIB = 8 * LOT_KIB
# RHEL 5 leaves the killer's last victim so long to go (2.6.9's rule, kept there).
OOM_PAUSE_NS = 5_000_000_000
# A page of a user's memory: GFP_HIGHUSER | __GFP_ZERO.
_OOM_REQUEST = "gfp_mask=0x280d2, order=0, oomkilladj=0"
_FRACTION_BITS = 16


class _Rest:
    """What a task still has to do when it has waited for its page."""

    __slots__ = ("arg", "done", "parts", "remaining_q")

    def __init__(self, work: AnyWork, parts: Parts, remaining_q: int) -> None:
        self.parts = parts
        self.remaining_q = remaining_q
        self.done = work.done
        self.arg = work.arg


BOOT_FILES_KIB = 20 * 1024  # what a text-mode RHEL 5 has read when it is up (judgement)


class Paging:
    """The memory of one guest, as its kernel manages it. All in KiB.

    demand = kernel + processes; of the processes, `swapped_kib` is on disk and the rest resident.
    kernel + resident + held and promised to the balloon <= what the domain has, always.
    """

    def __init__(self, guest: Guest, devices: Devices, streams: Streams) -> None:
        self._guest = guest
        self._devices = devices
        self.kernel_kib = kernel_kib(guest.domain)
        self.swap = Swap(guest, devices, streams)
        self.swapped_kib = 0
        self.page_ins = self.page_outs = self.oom_kills = 0
        self.has_panicked = False
        self._held_kib = 0  # taken from everybody, for the balloon
        self._promised_kib = 0  # the same, but still being written out
        self._unwritten_kib = 0
        self._is_writing = False
        self._throttled: deque[AnyWork] = deque()
        self._missed = 0  # how near the next miss is, in 2**-16
        self._next_kill_ns = 0
        self._dead: set[int] = set()
        self._touch_q = TOUCH_NS * guest.execution.full_rate_q
        start_daemons(guest)
        self._processes_kib = 0
        self._count_processes()
        guest.page_with(self)

    @property
    def _domain(self) -> Domain:
        return self._guest.domain

    @property
    def demand_kib(self) -> int:
        """Return what kernel and processes want to keep in memory."""
        return self.kernel_kib + self._processes_kib

    @property
    def _unneeded_kib(self) -> int:
        """Return what is free, or holds only what can be read from files again."""
        used_kib = self.demand_kib - self.swapped_kib + self._held_kib + self._promised_kib
        return max(0, self._domain.memory_kib - used_kib)

    @property
    def _swappable_kib(self) -> int:
        """Return what could still be swapped out."""
        resident_kib = self._processes_kib - self.swapped_kib
        return min(resident_kib, max(0, self.swap.total_kib - self.swapped_kib))

    def demand_changed(self) -> None:
        """Make room for what a new process wants: swap others out, or kill."""
        self._count_processes()
        if not self._domain.domid:
            return  # domain 0's own disk is not modelled as a vbd: it is never squeezed
        while (short_kib := self._short_kib()) > 0:
            kib = min(short_kib, self._swappable_kib)
            if not kib:
                if not self._kill():
                    return
                continue
            self._swap_out(kib)

    def _count_processes(self) -> None:
        processes = self._guest.processes
        for tgid in self._dead & processes.keys():
            del processes[tgid]
        self._processes_kib = sum(one.working_set_kib for one in processes.values())

    def _short_kib(self) -> int:
        resident_kib = self.demand_kib - self.swapped_kib
        return resident_kib - (self._domain.memory_kib - self._held_kib - self._promised_kib)

    def saved(self) -> SavedPaging:
        """Return what a save file has to hold; what was swapped is swapped anew."""
        return SavedPaging(
            page_ins=self.page_ins,
            page_outs=self.page_outs,
            oom_kills=self.oom_kills,
            dead=sorted(self._dead),
        )

    def restore(self, saved: SavedPaging) -> None:
        """Go on from `saved`, before any program has been started: the dead stay dead."""
        self.page_ins, self.page_outs = saved.page_ins, saved.page_outs
        self.oom_kills = saved.oom_kills
        self._dead = set(saved.dead)
        self._count_processes()
        if self._dead:
            self._guest.guard_tasks(is_on=True)

    # What the balloon asks for.

    def take(self, kib: int) -> int:
        """Hold up to `kib` of pages that nobody needs; return how much it is."""
        kib = min(kib, self._held_kib + self._unneeded_kib)
        self._held_kib = max(self._held_kib, kib)
        return kib

    def shrunk(self, kib: int) -> None:
        """Let go of pages that were held and have left the domain."""
        self._held_kib -= kib

    def release(self) -> None:
        """Free what was held for the balloon, which wants no more pages."""
        self._held_kib = self._promised_kib = 0

    def reclaim(self, kib: int) -> None:
        """Begin to swap out `kib` for the balloon; if nothing more can be, someone must die."""
        if self._promised_kib or not self._domain.domid or self.has_panicked:
            return
        kib = min(kib, self._swappable_kib)
        if kib:
            self._promised_kib = kib
            self._swap_out(kib)
        elif self._guest.execution.clock.now >= self._next_kill_ns:
            self._kill()

    # Out of memory.

    def _kill(self) -> bool:
        """End the largest process; panic if there is none. Return whether anything was freed."""
        largest = max(self._guest.processes.values(), key=_size, default=None)
        if largest is None:
            self.has_panicked = True
            self._say("Kernel panic - not syncing: Out of memory and no killable processes...")
            self._guest.panic()
            return False
        # Its pages in memory and on disk go alike: everybody's are swapped in proportion.
        gone_kib = self.swapped_kib * largest.working_set_kib // self._processes_kib
        self.swapped_kib -= gone_kib // PAGE_KIB * PAGE_KIB
        self._dead.add(largest.tgid)
        self._count_processes()
        self.swapped_kib = min(self.swapped_kib, self._processes_kib)
        self.oom_kills += 1
        self._next_kill_ns = self._guest.execution.clock.now + OOM_PAUSE_NS
        # Whoever touches the most pages is the likeliest to have asked for one (judgement).
        self._say(f"{largest.name} invoked oom-killer: {_OOM_REQUEST}")
        self._say(f"Out of memory: Killed process {largest.tgid} ({largest.name}).")
        self._guest.guard_tasks(is_on=True)
        self._interrupt_all()
        return True

    def _say(self, line: str) -> None:
        self._domain.console.write(line)

    # Swapping out.

    def _swap_out(self, kib: int) -> None:
        was_swapping = self.swapped_kib > 0
        self.swapped_kib += kib
        self._unwritten_kib += kib
        if not was_swapping:
            self._guest.guard_tasks(is_on=True)
            self._interrupt_all()
        self._write()

    def _write(self) -> None:
        is_due = self._promised_kib or self._unwritten_kib >= LOT_MIN_KIB
        if self._is_writing or not self._unwritten_kib or not is_due:
            return
        self._is_writing = True
        kib = min(self._unwritten_kib, LOT_KIB)
        self._unwritten_kib -= kib
        self.page_outs += kib // PAGE_KIB
        self.swap.write(kib, KERNEL, self._written)

    def _written(self, io: BlockIo[int]) -> None:
        self._is_writing = False
        kib = min(io.arg, self._promised_kib)
        self._promised_kib -= kib
        self._held_kib += kib
        self._write()
        while self._throttled and self._unwritten_kib <= BACKLOG_KIB:
            self._guest.run(self._throttled.popleft())

    # Tasks that touch what is not there.

    def is_alive(self, task: TaskIdentity) -> bool:
        """Return whether the task's process has not been killed."""
        return task.tgid not in self._dead

    def admit(self, work: AnyWork) -> bool:
        """Have `work` stop where it next touches a page that is on disk; False: it is dead."""
        tgid = work.task.tgid
        if not tgid:
            return True
        if tgid in self._dead:
            return False
        if not self.swapped_kib or type(work.arg) is _Rest:
            return True
        # Of the touches, swapped / all miss; but what comes in drives others out that will be
        # touched again: swapped / resident. So the work between two misses is
        resident_kib = self._processes_kib - self.swapped_kib
        between_q = self._touch_q * resident_kib // self.swapped_kib
        between_q = max(between_q, self._touch_q // MISS_SHARE)
        due_q = between_q * ((1 << _FRACTION_BITS) - self._missed) >> _FRACTION_BITS
        remaining_q = work.remaining_q
        if 0 <= remaining_q <= due_q:
            self._missed += (remaining_q << _FRACTION_BITS) // between_q
            return True
        due_q = max(due_q, 1)
        self._missed = 0
        if remaining_q < 0:  # endless
            rest = _Rest(work, work.parts, ENDLESS)
            work.parts = [(work.parts[0][0], due_q)]
        else:
            parts, left = split(work.parts, due_q, remaining_q)
            rest = _Rest(work, left, remaining_q - due_q)
            work.parts = parts
        work.remaining_q = due_q
        work.done = self._missed_page
        work.arg = rest
        return True

    def _missed_page(self, work: AnyWork) -> None:
        rest: _Rest = work.arg
        work.parts, work.remaining_q = rest.parts, rest.remaining_q
        work.done, work.arg = rest.done, rest.arg
        if not self.swapped_kib:  # all is well again
            self._guest.run(work)
        elif self.is_alive(work.task):
            kib = min(CLUSTER_KIB, self.swapped_kib)
            self.swap.read(self.swapped_kib, kib, work.task, self._read, work)

    def _read(self, io: BlockIo[AnyWork]) -> None:
        kib = min(io.size_bytes // 1024, self.swapped_kib)
        self.page_ins += io.size_bytes // 1024 // PAGE_KIB
        if kib <= self._unneeded_kib:
            self.swapped_kib -= kib
            if not self.swapped_kib and not self._dead:
                self._guest.guard_tasks(is_on=False)
        else:  # as much has to go
            self._unwritten_kib += kib // CHANGED_SHARE // PAGE_KIB * PAGE_KIB
            self._write()
        if self._unwritten_kib > BACKLOG_KIB:
            self._throttled.append(io.arg)
        else:
            self._guest.run(io.arg)

    def _interrupt_all(self) -> None:
        """Tell every vcpu that page tables have changed, or that a process has to die."""
        parts = self._guest.parts(("evtchn_upcall", 1))
        for vcpu in self._domain.vcpus:
            if vcpu.online:
                self._guest.interrupt(vcpu.vcpu_id, Work(parts, self._interrupted, vcpu))

    def _interrupted(self, work: Work[Vcpu]) -> None:
        vcpu = work.arg  # its task is back in the queue while this is handled
        tasks = [one for one in vcpu.tasks if self.admit(one)]
        vcpu.tasks.clear()
        vcpu.tasks.extend(tasks)

    def meminfo(self) -> Mapping[str, int]:
        """Return the lines of /proc/meminfo that matter here, in kB.

        What nobody needs caches files as far as any have been read or written: those of the boot
        and what has gone through its disks since. The rest is free, and a reserve that the kernel
        keeps (mm/page_alloc.c: pages_high, from min_free_kbytes = the root of 16 times its memory).
        """
        moved_kib = (
            sum(vbd.use.read_bytes + vbd.use.write_bytes for vbd in self._devices.vbds) // 1024
        )
        cached_kib = min(self._unneeded_kib, BOOT_FILES_KIB + moved_kib)
        image_kib = min(KERNEL_IMAGE_KIB, self.kernel_kib // 2)
        total_kib = max(0, self._domain.memory_kib - image_kib)
        reserve_kib = min(isqrt(16 * total_kib) * 3 // 2, self.kernel_kib // 4)
        return {
            "MemTotal": total_kib,
            "MemFree": reserve_kib + self._held_kib + self._unneeded_kib - cached_kib,
            "Cached": cached_kib,
            "SwapTotal": self.swap.total_kib,
            "SwapFree": max(0, self.swap.total_kib - self.swapped_kib),
        }


def _size(process: Process) -> tuple[int, int]:
    return process.working_set_kib, -process.tgid
