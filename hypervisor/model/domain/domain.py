"""Domains, vcpus and pcpus as Xen keeps them; `cpu.execution` runs them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hypervisor.errors import Refused
from hypervisor.model.codebook.locking import Claims
from hypervisor.model.codebook.pressure import NOTHING
from hypervisor.model.codebook.work import KERNEL, AnyWork, Parts, TaskIdentity
from hypervisor.model.domain.console import Console
from hypervisor.model.domain.evtchn import EventChannels, Port
from hypervisor.model.domain.grant import GrantTable
from hypervisor.model.domain.pathtimes import PathTimes
from hypervisor.model.domain.runstate import Runstate
from hypervisor.model.domain.softirqs import Softirqs
from hypervisor.model.timing.clock import Timer
from hypervisor.model.timing.kernelticks import KernelTicks
from hypervisor.shutdown import CRASH

GUEST_TIMESLICE_NS: Final = 100_000_000  # Linux 2.6.18 kernel/sched.c, DEF_TIMESLICE


class Vcpu:
    """A virtual processor with its guest's interrupt and task queues.

    `current` is the work that is being executed, or was preempted; `debt` is overhead that must
    be executed before it: ticks, context switches, samples.
    """

    __slots__ = (
        "affinity",
        "awaited",
        "begun_ns",
        "cache",
        "cache_left",
        "caches_left",
        "carried_q",
        "context_switches",
        "current",
        "current_is_interrupt",
        "debt",
        "debt_q",
        "domain",
        "hog_ns",
        "interrupts",
        "is_running",
        "last_task",
        "migrations",
        "online",
        "owed",
        "owed_q",
        "parked",
        "pcpu",
        "processor",
        "ran_on",
        "rated_ns",
        "runnable",
        "runstate",
        "sched",
        "segment_ns",
        "softirqs",
        "tasks",
        "timer",
        "touched",
        "turn_ns",
        "vcpu_id",
        "warm",
    )

    def __init__(self, domain: "Domain", vcpu_id: int, now_ns: int, affinity: int) -> None:
        self.domain = domain
        self.vcpu_id = vcpu_id
        self.processor = 0
        self.affinity = affinity
        self.runnable = False
        self.is_running = False
        self.online = True
        self.parked = False
        self.awaited = 0  # accesses to devices that Xen has sent to a device model
        self.sched: Any = None
        self.runstate = Runstate(now_ns)
        self.pcpu: Pcpu | None = None  # set while it runs
        self.segment_ns = 0  # the time up to which it is settled
        self.carried_q = 0  # executed since then up to `rated_ns`, at other speeds
        self.rated_ns = 0
        self.timer: Timer | None = None  # end of the present segment
        self.interrupts: list[AnyWork] = []  # short queues, as is `tasks`
        self.tasks: list[AnyWork] = []
        self.softirqs = Softirqs(domain.ticks)
        self.current: AnyWork | None = None
        self.current_is_interrupt = False
        self.hog_ns = 0  # when one of its hogs last ran, or came
        self.turn_ns = 0  # until when a hog that had starved is not preempted
        self.debt: Parts = []
        self.debt_q = 0
        self.last_task: TaskIdentity = KERNEL  # for process switches
        self.owed: dict[int, int] = {}  # cycles_q by path, charged from tick to tick
        self.owed_q = 0
        self.context_switches = 0  # times it was given a pcpu
        self.migrations = 0  # those times when it was another pcpu than before
        self.ran_on = -1  # the number of the pcpu on which it last ran
        self.cache = -1  # the cache in which it has lines (cpu.caches)
        self.cache_left = 0  # what had come into that when it last ran
        self.warm = 0  # lines of its program there
        # The caches in which it was before -> warm, cache_left and touched when it went.
        self.caches_left: dict[int, tuple[int, int, int]] = {}
        self.touched = 0  # lines that its program has touched until now, over and over
        self.begun_ns = 0  # when the current work got the vcpu (for the guest's own timeslice)

    @property
    def wants_to_run(self) -> bool:
        """Return whether there is anything to execute."""
        return self.current is not None or bool(self.interrupts) or bool(self.tasks)

    @property
    def is_up(self) -> bool:
        """Return whether nobody has stopped it or its domain."""
        return self.online and not self.parked and self.domain.is_up

    @property
    def may_run(self) -> bool:
        """Return whether it may run if it wants to: it is up, and waits for no device model."""
        return not self.awaited and self.is_up

    def end_ns(self, now_ns: int, rate_q: int) -> int:
        """Return when the present segment ends if it runs at `rate_q` since `rated_ns`; -1: never.

        It does at the end of its work, or when others have their turn.
        """
        work = self.current
        assert work is not None
        end_ns = -1
        if work.remaining_q >= 0:
            # Unsettled cycles, executed since segment_ns, perhaps partly at another speed.
            done_q = self.carried_q + (now_ns - self.rated_ns) * rate_q
            left_q = self.debt_q + work.cold_q + work.remaining_q - done_q
            end_ns = max(now_ns, now_ns - (-left_q // rate_q))
        if self.current_is_interrupt:
            return end_ns
        if self.tasks:
            turn_ns = max(now_ns, self.begun_ns + GUEST_TIMESLICE_NS)
            end_ns = turn_ns if end_ns < 0 else min(end_ns, turn_ns)
        if self.interrupts:
            turn_ns = max(now_ns, self.softirqs.yields_ns)
            end_ns = turn_ns if end_ns < 0 else min(end_ns, turn_ns)
        return end_ns

    def can_be_interrupted(self, now_ns: int) -> bool:
        """Return whether it executes a task that an interrupt goes before."""
        if self.current is None or self.current_is_interrupt:
            return False
        return self.softirqs.yields_ns <= now_ns

    def is_turn_over(self, now_ns: int) -> bool:
        """Return whether other tasks wait, and the present one has used its timeslice."""
        return bool(self.tasks) and now_ns >= self.begun_ns + GUEST_TIMESLICE_NS

    def has_had_its_turn(self, now_ns: int) -> bool:
        """Return whether the present task has to give way to other tasks or to interrupts."""
        if self.current_is_interrupt:
            return False
        if self.interrupts and now_ns >= self.softirqs.yields_ns:
            return True
        return self.is_turn_over(now_ns)

    def take(self, pcpu: "Pcpu", now_ns: int) -> None:
        """Begin to run on a pcpu."""
        self.is_running = True
        self.pcpu = pcpu
        self.segment_ns = self.rated_ns = now_ns
        self.context_switches += 1
        if self.ran_on != pcpu.number:
            if self.ran_on >= 0:
                self.migrations += 1
            self.ran_on = pcpu.number


class Domain:
    """A domain. Its kernel, devices and programs are kept beside it: see `resident.Resident`."""

    __slots__ = (
        "channels",
        "configured_kib",
        "console",
        "created_ns",
        "domid",
        "dying",
        "grants",
        "holder",
        "hypercalls",
        "is_hvm",
        "kept_phase",
        "kind",
        "maximum_kib",
        "meeting",
        "memory_kib",
        "mode_ns",
        "name",
        "near",
        "path_ns",
        "pause_count",
        "sched",
        "shutdown_reason",
        "switches",
        "target_kib",
        "ticks",
        "uuid",
        "vcpus",
        "virqs",
    )

    def __init__(
        self,
        domid: int,
        name: str,
        uuid: str,
        kind: str,
        memory_kib: int,
        maximum_kib: int | None,
        created_ns: int,
        ticks: KernelTicks,
    ) -> None:
        """`ticks` are those of its kernel."""
        self.domid = domid
        self.name = name
        self.uuid = uuid
        self.kind = kind
        self.is_hvm = kind == "hvm"
        self.memory_kib = self.target_kib = self.configured_kib = memory_kib
        self.maximum_kib = maximum_kib
        self.created_ns = created_ns
        self.ticks = ticks
        self.vcpus: list[Vcpu] = []
        self.pause_count = 0
        self.shutdown_reason: int | None = None  # set when it has ended, until xend destroys it
        self.dying = False
        self.sched: Any = None
        self.channels = EventChannels()
        self.grants = GrantTable()
        self.console = Console()
        self.switches = 0  # task switches of its kernel
        self.hypercalls = 0  # of what it has begun to execute, in HYPERCALL_SHARES
        self.virqs = 0
        # Vcpus that run code that meets at locks (cpu.locks); below 0: none ever has.
        self.meeting = -1
        self.holder: Vcpu | None = None  # the vcpu that lost its pcpu with a lock
        self.kept_phase = 0
        # The part of its memory that each socket has, in 1/1024; empty: all is as near.
        self.near: list[int] = []
        self.path_ns: dict[int, PathTimes] = {}  # by pcpu
        self.mode_ns = [0, 0, 0]  # user, kernel, hypervisor: the part of path_ns divided so far

    @property
    def crashed(self) -> bool:
        """Return whether its kernel has panicked (SHUTDOWN_crash)."""
        return self.shutdown_reason == CRASH

    @property
    def is_up(self) -> bool:
        """Return whether its vcpus may run: it is not paused, and has not ended."""
        return not self.pause_count and not self.dying and self.shutdown_reason is None

    def cpu_ns(self, now_ns: int) -> int:
        """Return the running time of all vcpus together."""
        return sum(vcpu.runstate.at(now_ns)[0] for vcpu in self.vcpus)

    def share(self, rings: int, slots: int, device: str) -> tuple[tuple[int, ...], Port]:
        """Share ring pages with the backend of a device; return their references and the port.

        `slots` are the buffers that are granted permanently.
        Raises: Refused where grant entries or event channels are short; nothing is held then.
        """
        refs = self.grants.claim_rings(rings, slots, device)
        try:
            return refs, self.channels.bind("interdomain", device)
        except Refused:
            self.grants.release_rings(refs, slots)
            raise

    def unshare(self, refs: tuple[int, ...], slots: int, port: Port) -> None:
        """Give back what `share` returned."""
        self.grants.release_rings(refs, slots)
        self.channels.close(port)


class Pcpu:
    """A logical processor. If `current` is None, it runs its idle vcpu."""

    __slots__ = (
        "asked",
        "claims",
        "current",
        "entered_ns",
        "extras",
        "is_tickled",
        "misses",
        "mode_ns",
        "number",
        "pressure",
        "rate_q",
        "sharers",
        "sibling",
        "slice_end_ns",
        "slice_timer",
        "times",
        "visitors",
        "waited",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.current: Vcpu | None = None
        self.sibling: Pcpu | None = None  # the other hyper-thread of its core
        self.is_tickled = False
        self.rate_q = 0  # present speed: work cycles_q per ns
        self.pressure = NOTHING  # what its vcpu takes from neighbours (cpu.speed)
        self.claims: Claims = []  # its locks, in a guest with several vcpus
        self.asked = self.waited = 0  # its part of `Bus.moved` and `waited`
        self.sharers = 1  # busy pcpus that share its cache, with itself
        # What its vcpu executes besides its work: path, cycles_q per ns.
        self.extras: Parts = []
        self.entered_ns = 0  # since when it runs its vcpu
        self.misses = 1024  # in its last cache, for each usual one, in 1/1024
        self.slice_end_ns = 0
        self.slice_timer: Timer | None = None
        self.times = PathTimes(0)  # of the domain that runs here (see Domain.path_ns)
        self.visitors: set[Domain] = set()  # domains whose time is not completely in mode_ns yet
        self.mode_ns = [0, 0, 0]  # user, kernel, hypervisor


Domains = Mapping[int, Domain]

End = Callable[[Domain, int], object]
"""Takes a domain that has shut itself down, and the reason (see `hypervisor.shutdown`)."""
