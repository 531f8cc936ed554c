"""The profiler inside the hypervisor: states, active and passive domains, rings, loss.

Every overflow is an NMI that costs cycles and is counted exactly once: as active or passive
(logged), lost (ring full), or others (its domain is not profiled).
Source: xen/arch/x86/oprofile/xenoprof.c and nmi_int.c (3.0.3).
"""

from collections.abc import Callable, Sequence

from hypervisor.errors import ENODEV, EPERM, OprofilefsError
from hypervisor.model.codebook.work import Parts
from hypervisor.model.cpu.execution import Execution
from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.profiling.pmu import CounterConfig, Pmu
from hypervisor.model.profiling.rings import (
    ACTIVE_SAMPLES,
    PASSIVE_SAMPLES,
    Ring,
    Span,
    fit,
    lost_between_virqs,
    merged,
    ring_size,
)
from hypervisor.model.profiling.samples import SampleChunk, SampleRow
from hypervisor.telemetry import XenoprofSnapshot

MAX_DOMAINS = 25  # MAX_OPROF_DOMAINS
MAX_COUNTER = 8  # OP_MAX_COUNTER; larger indices are E2BIG
E2BIG = 7

IDLE, RESERVED, READY, PROFILING = "idle", "reserved", "ready", "profiling"


class Xenoprof:
    """The state machine and the rings. It is the PMU's sample sink."""

    def __init__(
        self,
        execution: Execution,
        pmu: Pmu,
        sample_parts: Parts,
        frame_parts: Parts,
        *,
        can_profile: bool,
    ) -> None:
        """`sample_parts`, `frame_parts`: what a sample costs, and each caller that it has."""
        self.execution = execution
        self.pmu = pmu
        self.can_profile = can_profile
        self.state = IDLE
        self.primary: int | None = None
        self.active: dict[int, bool] = {}  # domid -> ready (has enabled its VIRQ)
        self.listed = 0  # entries of the active list: a domain can be listed twice
        self.passive: set[int] = set()
        self.rings: dict[int, list[Ring]] = {}
        self.readers: set[int] = set()  # domains whose driver answers the VIRQ
        # The guest driver's handler: (vcpu, virqs, rows that were in the ring and are not now).
        self.virq: Callable[[Vcpu, int, list[SampleRow]], None]
        self.activated = 0
        self._counters: dict[int, CounterConfig] = {}
        self._sample_path, self._sample_q = sample_parts[0]
        self._frame_path, self._frame_q = frame_parts[0]
        self.total = self.logged_active = self.logged_passive = 0
        self.others = self.lost = self.invalid = self.corrupted = 0
        self.lost_for_ever: dict[int, int] = {}
        self._ring_depths: dict[int, int] = {}  # callers that a sample in the rings can have
        self.never_read: dict[int, int] = {}  # logged, but the ring was emptied or given back
        self.logged: dict[tuple[int, int], list[int]] = {}  # (domid, counter) -> by mode, for ever

    # Operations (hypercall 31). `domid` is the caller.

    def init(self, domid: int) -> None:
        """XENOPROF_init: domain 0 becomes primary. Raises: ENODEV on an unsupported processor."""
        if not self.can_profile:
            raise OprofilefsError(ENODEV, "this hypervisor cannot profile this processor")
        if domid == 0 and self.primary is None:
            self.primary = domid

    def get_buffer(self, domain: Domain, asked: int = ACTIVE_SAMPLES) -> None:
        """XENOPROF_get_buffer: allocate the rings once; they live as long as the domain.

        Our extension: where call stacks are recorded, or no longer are, they are made anew.
        """
        depth = self.pmu.depths.get(domain.domid, 0)
        if domain.domid in self.rings:
            if depth == self._ring_depths.get(domain.domid, 0):
                return
            self._discard(domain.domid)
        size = ring_size(asked, len(domain.vcpus), depth)
        self.rings[domain.domid] = [Ring(size) for _ in domain.vcpus]
        self._ring_depths[domain.domid] = depth

    def reset_active_list(self) -> None:
        """XENOPROF_reset_active_list."""
        self.execution.settle_all()  # what was sampled until now belongs to the old list
        self.active.clear()
        self.listed = self.activated = 0

    def reset_passive_list(self) -> None:
        """XENOPROF_reset_passive_list: the rings are given back, unread samples with them."""
        self.execution.settle_all()
        for domid in self.passive:
            self._discard(domid)
            self.rings.pop(domid, None)
        self.passive.clear()

    def set_active(self, domid: int) -> None:
        """XENOPROF_set_active."""
        self._require(IDLE, "set the active domains while domain 0's daemon is down")
        if self.listed >= MAX_DOMAINS:
            raise OprofilefsError(E2BIG, f"at most {MAX_DOMAINS} active domains")
        self.listed += 1
        self.active.setdefault(domid, False)

    def set_passive(self, domain: Domain) -> None:
        """XENOPROF_set_passive: share rings of the domain with domain 0."""
        self._require(IDLE, "set the passive domains while domain 0's daemon is down")
        if len(self.passive) >= MAX_DOMAINS:
            raise OprofilefsError(E2BIG, f"at most {MAX_DOMAINS} passive domains")
        self._discard(domain.domid)
        self.rings.pop(domain.domid, None)
        self.get_buffer(domain, PASSIVE_SAMPLES)
        self.passive.add(domain.domid)

    def reserve_counters(self) -> None:
        """XENOPROF_reserve_counters."""
        self._require(IDLE, "the counters are reserved already")
        self.state = RESERVED
        self._counters = {}

    def counter(self, index: int, config: CounterConfig) -> None:
        """XENOPROF_counter."""
        self._require(RESERVED, "reserve the counters first")
        if not self.active:
            raise OprofilefsError(EPERM, "there is no active domain")
        if index > MAX_COUNTER:
            raise OprofilefsError(E2BIG, f"there is no counter {index}")
        self._counters[index] = config

    def setup_events(self) -> None:
        """XENOPROF_setup_events: program the counters of every pcpu."""
        self._require(RESERVED, "reserve the counters first")
        self.pmu.program(self._counters)
        self.state = READY

    def enable_virq(self, domain: Domain) -> None:
        """XENOPROF_enable_virq: the caller is ready to take samples."""
        domid = domain.domid
        if domid not in self.active or domid not in self.rings:
            raise OprofilefsError(
                EPERM,
                f"domain {domid} is not on the active list: in domain 0 run "
                f"opcontrol --start-daemon --active-domains=...,{domid} first",
            )
        self.execution.settle_all()
        self._discard(domid)
        self.active[domid] = True
        self.activated += 1
        if domid == self.primary:
            self.total = self.logged_active = self.logged_passive = 0
            self.others = self.lost = self.invalid = self.corrupted = 0
            for passive in self.passive:
                self._discard(passive)

    def _discard(self, domid: int) -> None:
        """Empty the rings of a domain; what nobody has read is counted."""
        unread = self.unread(domid)
        if unread:
            self.never_read[domid] = self.never_read.get(domid, 0) + unread
        for ring in self.rings.get(domid, []):
            ring.empty()

    def start(self) -> None:
        """XENOPROF_start. Raises: EPERM unless every listed active domain is ready."""
        if self.state != READY:
            raise OprofilefsError(
                EPERM, f"xenoprof is {self.state}, not ready: start domain 0's daemon first"
            )
        if waiting := sorted(domid for domid, ready in self.active.items() if not ready):
            raise OprofilefsError(
                EPERM,
                "these active domains have not run opcontrol --start yet: "
                + ",".join(map(str, waiting)),
            )
        if self.activated != self.listed:
            raise OprofilefsError(
                EPERM,
                f"{self.listed} active domains are listed and {self.activated} became ready: one "
                "is listed twice or started its daemon twice; run opcontrol --shutdown in "
                "domain 0, then --start-daemon --active-domains=... again",
            )
        self.execution.settle_all()
        self.state = PROFILING
        self.pmu.counting = True

    def stop(self) -> None:
        """XENOPROF_stop. 3.0.3 leaves what is in the rings where it is."""
        self._require(PROFILING, "profiling is not running")
        self.execution.settle_all()
        self.state = READY
        self.pmu.counting = False

    def disable_virq(self, domid: int) -> None:
        """XENOPROF_disable_virq. Raises: EPERM while profiling."""
        if domid not in self.active or not self.active[domid]:
            return
        if self.state == PROFILING:
            raise OprofilefsError(
                EPERM,
                f"domain {domid} is being profiled: run opcontrol --stop in domain 0 first",
            )
        self._leave(domid)

    def leave(self, domid: int) -> list[list[SampleRow]]:
        """Take a domain off the active list at any time; return what is in its rings.

        Our extension: the talk shuts guests down before domain 0 stops.
        """
        self.execution.settle_all()
        rows = [ring.empty() for ring in self.rings.get(domid, [])]
        if domid in self.active:
            self._leave(domid)
        return rows

    def _leave(self, domid: int) -> None:
        self.listed -= 1
        if self.active.pop(domid):
            self.activated -= 1
            if not self.activated:
                self.active.clear()
                self.listed = 0

    def release_counters(self) -> None:
        """XENOPROF_release_counters."""
        if self.state not in (RESERVED, READY):
            raise OprofilefsError(
                EPERM, f"xenoprof is {self.state}: it holds no counters to release"
            )
        self.state = IDLE
        self.reset_passive_list()

    def shutdown(self) -> None:
        """XENOPROF_shutdown: the primary's driver is unloaded."""
        self._require(IDLE, "shut domain 0's daemon down first")
        self.reset_active_list()
        self.reset_passive_list()
        self.primary = None

    def forget(self, domid: int) -> int:
        """Return how many samples were unread in the rings of a domain that is destroyed."""
        unread = self.unread(domid)
        self.leave(domid)
        self.passive.discard(domid)
        self.readers.discard(domid)
        self.pmu.depths.pop(domid, None)
        self.rings.pop(domid, None)
        return unread

    def unread(self, domid: int) -> int:
        """Return the samples in a domain's rings that nobody has taken."""
        return sum(ring.samples for ring in self.rings.get(domid, []))

    def _require(self, state: str, todo: str) -> None:
        if self.state != state:
            raise OprofilefsError(EPERM, f"xenoprof is {self.state}: {todo}")

    # Samples.

    def take(self, chunk: SampleChunk, vcpus: Sequence[Vcpu]) -> None:
        """Log the samples of settled segments (see `pmu.SampleSink`)."""
        by_mode = chunk.counts.sum(axis=1).tolist()
        domain0_ns: list[Span] = []  # when domain 0 took samples in guest mode
        if self.passive and self.primary in self.readers and self.active.get(self.primary, False):
            for row, (user, kernel, _) in enumerate(by_mode):
                if user + kernel and vcpus[row].domain.domid == self.primary:
                    domain0_ns.append(chunk.span_ns(row))
            domain0_ns = merged(domain0_ns)
        taken: dict[Vcpu, int] = {}
        logged: list[int] = []
        plain: dict[Vcpu, list[SampleRow]] = {}  # went through the ring without any trouble
        virqs: dict[Vcpu, int] = {}
        for row, (user, kernel, xen) in enumerate(by_mode):
            vcpu = vcpus[row]
            samples = user + kernel + xen
            taken[vcpu] = taken.get(vcpu, 0) + samples
            domid = vcpu.domain.domid
            if self.active.get(domid, False):
                logged.append(row)
                if domid not in self.readers:
                    self.logged_active += self._log_unread(vcpu, chunk, row, samples, [])
                    continue
                ring = self.rings[domid][vcpu.vcpu_id]
                if user + kernel and not ring.fill and xen < ring.capacity and not self.passive:
                    plain.setdefault(vcpu, []).append((chunk, row, samples))
                    virqs[vcpu] = virqs.get(vcpu, 0) + user + kernel
                    self.logged_active += samples
                    continue
                if vcpu in plain:
                    self.virq(vcpu, virqs.pop(vcpu), plain.pop(vcpu))
                self._log_active(vcpu, chunk, row, user + kernel, xen)
            elif domid in self.passive:
                self.logged_passive += self._log_unread(vcpu, chunk, row, samples, domain0_ns)
                logged.append(row)
            else:
                self.others += samples
        for vcpu, rows in plain.items():
            self.virq(vcpu, virqs[vcpu], rows)
        path, cycles_q = self._sample_path, self._sample_q
        for vcpu, samples in taken.items():
            self.total += samples
            self.execution.owe(vcpu, path, cycles_q * samples)
        if chunk.walks is not None:
            for row, callers in enumerate(chunk.walks.callers.tolist()):
                if callers:
                    frames = callers * sum(by_mode[row])
                    self.execution.owe(vcpus[row], self._frame_path, self._frame_q * frames)
        self._count_logged(chunk, logged)

    def _log_active(self, vcpu: Vcpu, chunk: SampleChunk, row: int, virqs: int, xen: int) -> None:
        """Log, and raise the VIRQ at each sample in guest mode; it empties the ring."""
        domid = vcpu.domain.domid
        ring = self.rings[domid][vcpu.vcpu_id]
        lost = lost_between_virqs(ring, xen, virqs)
        kept = virqs + xen - lost
        if lost:
            self._count_lost(domid, lost)
            chunk.drop_xen(row, lost)
        ring.add((chunk, row, kept), ring.fill + kept)
        self.logged_active += kept
        if virqs:
            self.virq(vcpu, virqs, [])

    def _log_unread(
        self,
        vcpu: Vcpu,
        chunk: SampleChunk,
        row: int,
        samples: int,
        emptied_ns: list[Span],
    ) -> int:
        """Log what fits into a ring that its own domain does not read; return how many do.

        A passive domain's ring is emptied while domain 0 takes samples itself (`emptied_ns`).
        """
        domid = vcpu.domain.domid
        ring = self.rings[domid][vcpu.vcpu_id]
        kept = samples
        fill = ring.fill + samples
        # A span inside this segment counts even if all fits: its row may have come first.
        if emptied_ns or fill > ring.capacity:
            kept, fill = fit(ring, chunk.span_ns(row), samples, emptied_ns)
        if kept < samples:
            self._count_lost(domid, samples - kept)
            chunk.keep_first(row, kept)
        ring.add((chunk, row, kept), fill)
        return kept

    def _count_logged(self, chunk: SampleChunk, rows: list[int]) -> None:
        """Add what was kept of `rows` to the counts by domain, counter and mode."""
        domids = chunk.context[rows, 1]
        for domid in sorted(set(domids.tolist())):
            mine = chunk.counts[rows][domids == domid].sum(axis=0).tolist()
            for (counter, _), by_mode in zip(chunk.counters, mine, strict=True):
                counts = self.logged.setdefault((domid, counter), [0, 0, 0])
                for mode, samples in enumerate(by_mode):
                    counts[mode] += samples

    def _count_lost(self, domid: int, samples: int) -> None:
        self.lost += samples
        self.lost_for_ever[domid] = self.lost_for_ever.get(domid, 0) + samples

    def snapshot(self) -> XenoprofSnapshot:
        """Return the counters now."""
        return XenoprofSnapshot(
            state=self.state,
            active_domains=tuple(sorted(self.active)),
            passive_domains=tuple(sorted(self.passive)),
            total=self.total,
            active=self.logged_active,
            passive=self.logged_passive,
            idle=0,
            others=self.others,
            lost=self.lost,
            invalid=self.invalid,
            corrupted=self.corrupted,
        )
