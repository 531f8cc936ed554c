"""A guest that needs more memory than it has: swapping, thrashing, out of memory.

How often a task waits for a page is computed in closed form, from one miss to the next; only the
wait itself is an event. A guest with enough memory pays nothing, and nothing here is called. The
page cache has the remaining memory (see `storage.filecache`).
Source: Linux 2.6.18, mm/vmscan.c, mm/memory.c (do_swap_page), mm/oom_kill.c.
"""

from collections import deque
from collections.abc import Mapping
from math import isqrt
from typing import Final

from hypervisor.model.codebook.work import (
    ENDLESS,
    AnyWork,
    Parts,
    TaskIdentity,
    Work,
    split,
)
from hypervisor.model.cpu.guest import Guest, Process
from hypervisor.model.cpu.processtable import KSWAPD
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.io.devices import Devices
from hypervisor.model.memory.footprint import KERNEL_IMAGE_KIB, kernel_kib, start_daemons
from hypervisor.model.memory.pages import PAGE_KIB
from hypervisor.model.memory.saved import SavedPaging
from hypervisor.model.memory.swap import CLUSTER_KIB, Swap
from hypervisor.model.storage.blkio import BlockIo
from hypervisor.model.timing.random_stream import Streams

# A program that computes touches another cluster of eight pages every half millisecond, 64 MB/s:
# less than a server copies for its requests, more than a blocked matrix needs (judgement).
TOUCH_NS: Final = 500_000
# At most 63 of 64 touches miss: a page stays until it has been used once.
MISS_SHARE: Final = 64
# Half of the pages that are evicted have been changed since they were read, and are written
# (judgement).
CHANGED_SHARE: Final = 2
LOT_KIB: Final = 512  # written at once; SWAP_CLUSTER_MAX pages are the least that is written
LOT_MIN_KIB: Final = 32 * PAGE_KIB
# With more than this to be written, a task that needs a page also waits for the disk, as in
# blk_congestion_wait (judgement: eight lots).
BACKLOG_KIB: Final = 8 * LOT_KIB
# RHEL 5 gives the killer's last victim this time to exit (2.6.9's rule, kept there).
OOM_PAUSE_NS: Final = 5_000_000_000
# A request for a page of user memory: GFP_HIGHUSER | __GFP_ZERO.
_OOM_REQUEST: Final = "gfp_mask=0x280d2, order=0, oomkilladj=0"
_FRACTION_BITS: Final = 16


class _Rest:
    """The work that a task still has to do after waiting for a page."""

    __slots__ = ("arg", "done", "parts", "remaining_q")

    def __init__(self, work: AnyWork, parts: Parts, remaining_q: int) -> None:
        self.parts = parts
        self.remaining_q = remaining_q
        self.done = work.done
        self.arg = work.arg


BOOT_FILES_KIB: Final = 20 * 1024  # files that a text-mode RHEL 5 reads at boot (judgement)


class Paging:
    """The memory of one guest in KiB, as its kernel manages it.

    demand = kernel + processes; of the processes, `swapped_kib` is on disk and the rest resident.
    Always kernel + resident + held and promised to the balloon <= the domain's memory.
    """

    def __init__(self, guest: Guest, devices: Devices, streams: Streams) -> None:
        self._guest = guest
        self._devices = devices
        self.kernel_kib = kernel_kib(guest.domain)
        self.swap = Swap(guest, devices, streams)
        self.swapped_kib = 0
        self.page_ins = self.page_outs = self.oom_kills = 0
        self.has_panicked = False
        self._held_kib = 0  # taken from kernel and processes for the balloon
        self._promised_kib = 0  # also for the balloon, but still being written out
        self._unwritten_kib = 0
        self._is_writing = False
        self._throttled: deque[AnyWork] = deque()
        self._missed = 0  # fraction of the next miss that is reached, in 2**-16
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
        """Return the memory that kernel and processes need."""
        return self.kernel_kib + self._processes_kib

    @property
    def _unneeded_kib(self) -> int:
        """Return the memory that is free or holds only what can be read from files again."""
        used_kib = self.demand_kib - self.swapped_kib + self._held_kib + self._promised_kib
        return max(0, self._domain.memory_kib - used_kib)

    def cache_limits(self) -> tuple[int, int]:
        """Return how many pages the page cache may have, and how many pages programs have."""
        resident_kib = self._processes_kib - self.swapped_kib
        return self._unneeded_kib // PAGE_KIB, resident_kib // PAGE_KIB

    @property
    def _swappable_kib(self) -> int:
        """Return the memory that can still be swapped out."""
        resident_kib = self._processes_kib - self.swapped_kib
        return min(resident_kib, max(0, self.swap.total_kib - self.swapped_kib))

    def demand_changed(self) -> None:
        """Make room for a new process: swap others out, or kill a process."""
        self._count_processes()
        if not self._domain.domid:
            return  # domain 0's disk is not a vbd, so it never swaps
        while (short_kib := self._short_kib()) > 0:
            kib = min(short_kib, self._swappable_kib)
            if not kib:
                if not self._kill():
                    return
                continue
            self._swap_out(kib)

    def ended(self, process: Process) -> None:
        """Free the pages of a process, in memory and on disk: all are swapped in proportion."""
        gone_kib = self.swapped_kib * process.working_set_kib // self._processes_kib
        self.swapped_kib -= gone_kib // PAGE_KIB * PAGE_KIB
        self._count_processes()
        self.swapped_kib = min(self.swapped_kib, self._processes_kib)

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

    # Operations for the balloon.

    def take(self, kib: int) -> int:
        """Hold up to `kib` of unneeded pages; return the amount held."""
        kib = min(kib, self._held_kib + self._unneeded_kib)
        self._held_kib = max(self._held_kib, kib)
        return kib

    def shrunk(self, kib: int) -> None:
        """Stop counting pages that were held and have left the domain."""
        self._held_kib -= kib

    def release(self) -> None:
        """Free the pages held for the balloon, which needs no more pages."""
        self._held_kib = self._promised_kib = 0

    def reclaim(self, kib: int) -> None:
        """Begin to swap out `kib` for the balloon; if that is impossible, kill a process."""
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
        """Kill the largest process, or panic if there is none; return whether memory was freed."""
        largest = max(self._guest.processes.values(), key=_size, default=None)
        if largest is None:
            self.has_panicked = True
            self._say("Kernel panic - not syncing: Out of memory and no killable processes...")
            self._guest.panic()
            return False
        self._dead.add(largest.tgid)
        self.ended(largest)
        self.oom_kills += 1
        self._next_kill_ns = self._guest.execution.clock.now + OOM_PAUSE_NS
        # The process with the most pages is the likeliest to have requested one (judgement).
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
        self.swap.write(kib, self._guest.table.kernel_thread(KSWAPD), self._written)

    def _written(self, io: BlockIo[int]) -> None:
        self._is_writing = False
        kib = min(io.arg, self._promised_kib)
        self._promised_kib -= kib
        self._held_kib += kib
        self._write()
        while self._throttled and self._unwritten_kib <= BACKLOG_KIB:
            self._guest.run(self._throttled.popleft())

    # Tasks that touch missing pages.

    def is_alive(self, task: TaskIdentity) -> bool:
        """Return whether the task's process has not been killed."""
        return task.tgid not in self._dead

    def admit(self, work: AnyWork) -> bool:
        """Cut `work` at its next touch of a page on disk; return False if its process is dead."""
        tgid = work.task.tgid
        if not tgid:
            return True
        if tgid in self._dead:
            return False
        if not self.swapped_kib or type(work.arg) is _Rest:
            return True
        # A share swapped / all of the touches misses; but each page read evicts another that will
        # be touched again, which makes it swapped / resident. So the work between two misses is
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
        work.pressure = None  # that of a part of a few cycles is rounded
        work.done, work.arg = rest.done, rest.arg
        if not self.swapped_kib:  # nothing is swapped any more
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
        else:  # as much has to be evicted
            self._unwritten_kib += kib // CHANGED_SHARE // PAGE_KIB * PAGE_KIB
            self._write()
        if self._unwritten_kib > BACKLOG_KIB:
            self._throttled.append(io.arg)
        else:
            self._guest.run(io.arg)

    def _interrupt_all(self) -> None:
        """Interrupt every vcpu, as page tables have changed or a process has to die."""
        parts = self._guest.parts(("evtchn_upcall", 1))
        for vcpu in self._domain.vcpus:
            if vcpu.online:
                self._guest.interrupt(vcpu.vcpu_id, Work(parts, self._interrupted, vcpu))

    def _interrupted(self, work: Work[Vcpu]) -> None:
        vcpu = work.arg  # its task is back in its queue during the interrupt
        tasks = [one for one in vcpu.tasks if self.admit(one)]
        vcpu.tasks.clear()
        vcpu.tasks.extend(tasks)

    def meminfo(self) -> Mapping[str, int]:
        """Return the modelled lines of /proc/meminfo, in kB.

        Unneeded memory caches files that have been read or written: those of the boot, and the data
        of its disks since. The rest is free, at least a reserve that the kernel keeps
        (mm/page_alloc.c: pages_high, from min_free_kbytes = the root of 16 times its memory).
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
