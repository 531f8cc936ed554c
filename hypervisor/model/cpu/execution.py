"""Executes vcpus on pcpus: turns elapsed time into executed work and runstates.

The unit is a segment: a vcpu on a pcpu with one piece of work at one speed. A segment ends at
the end of its work, at a scheduling decision, at an interrupt, or when its speed changes; what
it did is then settled in closed form. The scheduler decides; this module acts.
Source: xen/common/schedule.c, xen/arch/x86/domain.c (context_switch).
"""

from collections.abc import Callable
from typing import Final

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.overheads import Overheads
from hypervisor.model.codebook.work import AnyWork, Q
from hypervisor.model.cpu.accounting import Accounting, SegmentCounter, add_debt
from hypervisor.model.cpu.caches import Caches
from hypervisor.model.cpu.runqueue import RunQueue
from hypervisor.model.cpu.sched.base import Scheduler
from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.speed import Speeds
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.cpu.trace import Trace
from hypervisor.model.domain.domain import Domain, Pcpu, Vcpu
from hypervisor.model.domain.pathtimes import PathTimes
from hypervisor.model.domain.runstate import BLOCKED, NEVER, OFFLINE, RUNNABLE, RUNNING
from hypervisor.model.timing.clock import Clock
from hypervisor.model.timing.kernelticks import XEN_TICK_NS
from hypervisor.trace_events import BLOCK, S_TIMER, SLEEP, T_TIMER, WAKE

# Until the new domain's caches are warm: tens of microseconds (judgement).
SWITCH_NS: Final = 20_000
# Samples are counted every 200 ms (judgement).
COUNT_TICKS: Final = 20
COUNT_NS: Final = COUNT_TICKS * XEN_TICK_NS
# A task that has run this long without sleeping is not interactive any more (judgement; Linux's
# bonus falls gradually).
INTERACTIVE_NS: Final = 2_000_000


class Execution:
    """Owns the pcpus, and runs on them what the scheduler decides."""

    def __init__(
        self,
        clock: Clock,
        topology: Topology,
        mhz: int,
        code: CodeBook,
        overheads: Overheads,
        counter: SegmentCounter,
        make_scheduler: Callable[[SchedContext], Scheduler],
    ) -> None:
        self.clock = clock
        self.full_rate_q = (mhz << Q) // 1000  # cycles_q per ns of an unshared core
        self.topology = topology
        self.overheads = overheads
        self.hvm_overheads = Overheads(code, is_hvm=True)
        self.trace = Trace(clock, topology.pcpus)
        self.pcpus = [Pcpu(number) for number in range(topology.pcpus)]
        for pcpu in self.pcpus:
            others = [n for n in topology.siblings(pcpu.number) if n != pcpu.number]
            pcpu.sibling = self.pcpus[others[0]] if others else None
        self.accounting = Accounting(clock, self.full_rate_q, counter, self.pcpus, code)
        sharing = code.sharing(mhz)
        self.speeds = Speeds(
            clock,
            topology,
            self.pcpus,
            sharing,
            self.full_rate_q,
            code.index["timer_tick"],
            self.accounting,
            self._rearm,
        )
        self._caches = Caches(sharing, self.speeds.caches, self.full_rate_q)
        self._ticks = 0
        self._queue = RunQueue(INTERACTIVE_NS * self.full_rate_q)
        # Made once: compiled code looks a method up by its name each time that it is passed on.
        self._at_segment_end: Callable[[Vcpu], None] = self._segment_end
        self._at_slice_end: Callable[[Pcpu], None] = self._slice_end
        self._last_on: list[Vcpu | None] = [None] * topology.pcpus
        self._context = SchedContext(
            clock, topology, self.pcpus, self.decide_now, self.park, self.unpark
        )
        self.scheduler = make_scheduler(self._context)

    def start(self) -> None:
        """Start the 10 ms ticks and every pcpu's slices."""
        for pcpu in self.pcpus:
            self._context.tickle(pcpu.number)
        self.clock.schedule(self.clock.now + XEN_TICK_NS, self._tick)

    # Operations for the scheduler.

    def park(self, vcpu: Vcpu) -> None:
        """Stop a vcpu because of its cap (3.1)."""
        vcpu.parked = True
        self.stop(vcpu)

    def unpark(self, vcpu: Vcpu) -> None:
        """Let a parked vcpu run again; it wakes if it has something to do."""
        vcpu.parked = False
        self._hold(vcpu)
        self.resume(vcpu)

    # Operations for devices, guests and the toolstack.

    def interrupt(self, vcpu: Vcpu, work: AnyWork) -> None:
        """Run `work` on `vcpu` before any task: an event channel upcall and its handler."""
        vcpu.interrupts.append(work)
        if not vcpu.runnable:
            self.wake(vcpu)
        elif vcpu.is_running and vcpu.can_be_interrupted(self.clock.now):
            self._put_back(vcpu, first=True)
            self._next_work(vcpu)

    def run_task(self, vcpu: Vcpu, work: AnyWork) -> None:
        """Queue the work of a task that has waited for something.

        It preempts a task that has been computing for a while, and otherwise waits its turn: Linux
        2.6.18 gives sleepers a priority bonus over such tasks (kernel/sched.c, effective_prio).
        """
        current = vcpu.current
        if current is not None and not vcpu.current_is_interrupt:
            if vcpu.is_running:
                self.accounting.settle(vcpu)
            if self._queue.yields(vcpu, current, self.clock.now):
                self._put_back(vcpu, first=True)
                vcpu.tasks.insert(0, work)
                if vcpu.is_running:
                    self._next_work(vcpu)
                return
        self._queue.place(vcpu, work, self.clock.now)
        if not vcpu.runnable:
            self.wake(vcpu)
        elif vcpu.is_running and current is not None and vcpu.timer is None:
            self._arm(vcpu)  # it must share the vcpu from now on

    def wake(self, vcpu: Vcpu) -> None:
        """Make a blocked vcpu runnable, if it may run."""
        if vcpu.runnable or not vcpu.may_run:
            return
        vcpu.runnable = True
        if self.trace.is_on:
            self.trace.vcpu(WAKE, vcpu)
        if vcpu.is_running:  # it has just gone idle, and its pcpu has not decided yet
            self.scheduler.wake(vcpu)
            if vcpu.current is None:
                self._next_work(vcpu)
            return
        vcpu.runstate.change(RUNNABLE, self.clock.now)
        self.scheduler.wake(vcpu)

    def stop(self, vcpu: Vcpu) -> None:
        """Remove a vcpu that is paused, parked or unplugged from its pcpu and queues."""
        self.trace.vcpu(SLEEP, vcpu)
        if vcpu.parked:
            self._hold(vcpu)
        if vcpu.runnable:
            vcpu.runnable = False
            self.scheduler.sleep(vcpu)
        if not vcpu.is_running:
            vcpu.runstate.change(OFFLINE, self.clock.now)

    def resume(self, vcpu: Vcpu) -> None:
        """Undo `stop`, if nothing else stops the vcpu."""
        if vcpu.parked:
            self._hold(vcpu)
        if vcpu.runnable or not vcpu.is_up:
            return
        if vcpu.wants_to_run and not vcpu.awaited:
            self.wake(vcpu)
        elif not vcpu.is_running:
            vcpu.runstate.change(BLOCKED, self.clock.now)

    def _hold(self, vcpu: Vcpu) -> None:
        """Count a vcpu as capped while nothing but its cap stops it (3.1)."""
        is_held = vcpu.parked and vcpu.online and vcpu.domain.is_up
        vcpu.runstate.hold(OFFLINE if is_held else NEVER, self.clock.now)

    # Scheduling decisions.

    def decide_now(self) -> None:
        """Make all decisions that are due (Xen: the schedule softirq)."""
        tickled = self._context.tickled
        index = 0
        while index < len(tickled):  # grows while decisions tickle other pcpus
            pcpu = tickled[index]
            pcpu.is_tickled = False
            self._decide(pcpu)
            index += 1
        tickled.clear()

    def _decide(self, pcpu: Pcpu) -> None:
        now = self.clock.now
        previous = pcpu.current
        if previous is not None:
            self.accounting.settle(previous)
        decision = self.scheduler.pick(pcpu.number, now)
        vcpu, slice_ns = decision.vcpu, decision.slice_ns
        # A slice begins after the switch; otherwise slices and ticks would run in step.
        pcpu.slice_end_ns = now + slice_ns + (SWITCH_NS if vcpu is not previous else 0)
        if vcpu is not previous:
            if self.trace.is_on:
                self.trace.switch(pcpu.number, previous, vcpu, slice_ns)
            if previous is not None:
                self._caches.leave(previous, pcpu, now)
                self._switch_out(previous)
                self.speeds.left(previous, pcpu)
            pcpu.current = vcpu
            if vcpu is None:
                self.speeds.changed(pcpu)
            else:
                self._switch_in(pcpu, vcpu)
        timer = pcpu.slice_timer
        if timer is not None and timer.at_ns > pcpu.slice_end_ns:
            self.clock.cancel(timer)  # the slice is shorter than the last one
            timer = None
        if timer is None:
            pcpu.slice_timer = self.clock.schedule(pcpu.slice_end_ns, self._at_slice_end, pcpu)

    def _slice_end(self, pcpu: Pcpu) -> None:
        pcpu.slice_timer = None
        if self.clock.now < pcpu.slice_end_ns:  # decided again since: the slice goes on
            pcpu.slice_timer = self.clock.schedule(pcpu.slice_end_ns, self._at_slice_end, pcpu)
        else:
            if self.trace.is_on:
                self.trace.emit(pcpu.number, S_TIMER, ())
            self._context.tickle(pcpu.number)

    def _switch_out(self, vcpu: Vcpu) -> None:
        vcpu.is_running = False
        vcpu.pcpu = None
        if vcpu.timer is not None:
            self.clock.cancel(vcpu.timer)
            vcpu.timer = None
        stopped = BLOCKED if vcpu.is_up else OFFLINE
        vcpu.runstate.change(RUNNABLE if vcpu.runnable else stopped, self.clock.now)

    def _switch_in(self, pcpu: Pcpu, vcpu: Vcpu) -> None:
        now = self.clock.now
        vcpu.take(pcpu, now)
        self._caches.enter(vcpu, pcpu, now)
        domain: Domain = vcpu.domain
        times = domain.path_ns.get(pcpu.number)
        if times is None:
            paths = len(self.accounting.path_modes)
            times = PathTimes(paths, is_driver=domain.domid == 0)
            domain.path_ns[pcpu.number] = times
        pcpu.times = times
        pcpu.visitors.add(domain)
        self.speeds.changed(pcpu)
        vcpu.runstate.change(RUNNING, now)
        last = self._last_on[pcpu.number]
        if last is not vcpu:
            # Returning from idle needs no address-space switch: Xen's idle vcpu is lazy.
            add_debt(vcpu, self._overheads_of(vcpu).context_switch)
            if last is not None and last.domain is not vcpu.domain:
                add_debt(vcpu, self.overheads.cold_cache)
            self._last_on[pcpu.number] = vcpu
        if vcpu.current is None:
            self._next_work(vcpu)
        elif vcpu.interrupts and not vcpu.current_is_interrupt:
            self._put_back(vcpu, first=True)
            self._next_work(vcpu)
        else:
            self._caches.touch(vcpu, vcpu.current, pcpu.sharers)
            self._arm(vcpu)

    def _overheads_of(self, vcpu: Vcpu) -> Overheads:
        return self.hvm_overheads if vcpu.domain.is_hvm else self.overheads

    def _rearm(self, vcpu: Vcpu) -> None:
        """Have a segment end sooner, as its speed has grown."""
        assert vcpu.timer is not None
        self.clock.cancel(vcpu.timer)
        self._arm(vcpu)

    # The work of a vcpu.

    def _put_back(self, vcpu: Vcpu, *, first: bool) -> None:
        work = vcpu.current
        assert work is not None
        if vcpu.is_running:
            self.accounting.settle(vcpu)
            if vcpu.timer is not None:
                self.clock.cancel(vcpu.timer)
                vcpu.timer = None
        vcpu.current = None
        self._queue.put_back(vcpu, work, self.clock.now)
        if first:  # the used part of its timeslice stays used
            work.ran_ns = self.clock.now - vcpu.begun_ns
            vcpu.tasks.insert(0, work)
        else:
            work.ran_ns = 0
            vcpu.tasks.append(work)

    def _next_work(self, vcpu: Vcpu) -> None:
        waiting = len(vcpu.interrupts)
        if not waiting:
            vcpu.softirqs.ended(self.clock.now)
        if waiting and (not vcpu.tasks or vcpu.softirqs.may_go_on(waiting, self.clock.now)):
            work = vcpu.interrupts.pop(0)
            vcpu.current_is_interrupt = True
        elif vcpu.tasks:
            work = self._queue.take(vcpu, self.clock.now)
            vcpu.current_is_interrupt = False
            vcpu.begun_ns = self.clock.now - work.ran_ns
            if work.task is not vcpu.last_task:
                # A kernel thread (tgid 0) borrows the address space that it finds.
                if work.task.tgid not in (0, vcpu.last_task.tgid):
                    add_debt(vcpu, self._overheads_of(vcpu).guest_switch)
                    vcpu.domain.hypercalls += self._overheads_of(vcpu).guest_switch_calls
                vcpu.last_task = work.task
                vcpu.domain.switches += 1
        else:
            # The idle task's entry into the hypervisor is executed when the vcpu next runs.
            add_debt(vcpu, self._overheads_of(vcpu).guest_idle)
            vcpu.domain.hypercalls += self._overheads_of(vcpu).guest_idle_calls
            vcpu.domain.switches += 2  # to the idle task now, and from it later
            if vcpu.runnable:
                vcpu.runnable = False
                if self.trace.is_on:
                    self.trace.vcpu(BLOCK, vcpu)
                self.scheduler.sleep(vcpu)
            return
        vcpu.current = work
        pcpu = vcpu.pcpu
        assert pcpu is not None
        if vcpu.domain.meeting >= 0:
            self.speeds.begin(pcpu, work)
        if work.begun_ns < 0:
            work.begun_ns = self.clock.now + vcpu.debt_q // max(pcpu.rate_q, self.full_rate_q >> 3)
        self._caches.touch(vcpu, work, pcpu.sharers)
        self._arm(vcpu)

    def _arm(self, vcpu: Vcpu) -> None:
        pcpu = vcpu.pcpu
        assert pcpu is not None
        end_ns = vcpu.end_ns(self.clock.now, pcpu.rate_q)
        vcpu.timer = None if end_ns < 0 else self.clock.schedule(end_ns, self._at_segment_end, vcpu)

    def _segment_end(self, vcpu: Vcpu) -> None:
        vcpu.timer = None
        self.accounting.settle(vcpu)
        work = vcpu.current
        assert work is not None
        if work.remaining_q == 0:
            vcpu.current = None
            if work.done is not None:
                if self.trace.is_on:
                    self.trace.enter(vcpu, work)
                if work.task.tgid:  # it may have been queued elsewhere meanwhile
                    work.task.vcpu = vcpu.vcpu_id
                work.done(work)
            if vcpu.current is None and vcpu.is_running:
                self._next_work(vcpu)
        elif vcpu.has_had_its_turn(self.clock.now):
            self._put_back(vcpu, first=not vcpu.is_turn_over(self.clock.now))
            self._next_work(vcpu)
        else:
            self._arm(vcpu)

    def _tick(self, _: object) -> None:
        now = self.clock.now
        self.clock.schedule(now + XEN_TICK_NS, self._tick)
        for pcpu in self.pcpus:
            vcpu = pcpu.current
            if vcpu is not None:
                add_debt(vcpu, self._overheads_of(vcpu).timer_tick)
                self.speeds.changed(pcpu)
                if self.trace.is_on:
                    self.trace.emit(pcpu.number, T_TIMER, ())
                    path, cycles_q = self.overheads.trace_record[0]
                    add_debt(vcpu, [(path, cycles_q * self.trace.unpaid(pcpu.number))])
                if vcpu.owed_q:
                    self.accounting.pay(vcpu)
        if self.accounting.is_counting:
            self._ticks += 1
            if not self._ticks % COUNT_TICKS:
                self.accounting.settle_all()
        self.scheduler.tick(now)
