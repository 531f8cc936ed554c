"""Makes snapshots by hand of a host like grumble, for tests of readers.

`grumble(step)` is the host `step` virtual seconds after boot; all counters are linear in it.
"""

from dataclasses import dataclass, field, replace

from hypervisor.telemetry import (
    WAIT_BUCKETS_NS,
    BridgeSnapshot,
    DiskSnapshot,
    DomainSnapshot,
    GuestKernelSnapshot,
    Histogram,
    HostSnapshot,
    ImageSampleCount,
    LostCount,
    Mode,
    ModeTimes,
    NicSnapshot,
    OperationCount,
    OverheadTime,
    PcpuSnapshot,
    RingSnapshot,
    SampleCount,
    SymbolSampleCount,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
    XenoprofSnapshot,
)
from hypervisor.trace_events import TraceStatus
from xenprof.history.figures import HistoryStats
from xenprof.service.counts import SIGNALS, Counted, Counts
from xenprof.service.exporter import CollectorStats, ServiceStats
from xenprof.service.journal import Journals
from xenprof.service.process import ProcessStats
from xenprof.wire.history import PushStats

SECOND = 1_000_000_000
NAMES = ("Domain-0", "DesktopVM", "ossvm02", "rhel5pvtest", "r5b2-mySQL01")


def vcpu(number: int, step: int) -> VcpuSnapshot:
    return VcpuSnapshot(
        vcpu=number,
        pcpu=number,
        online=True,
        runstate="blocked",
        running_ns=step * 300_000_000,
        runnable_ns=step * 100_000_000,
        blocked_ns=step * 600_000_000,
        offline_ns=0,
        capped_ns=0,
        affinity=(0, 1) if number else (0, 1, 2, 3),
        credit=-12 if number else 88,
        priority="under",
        context_switches=step * 500,
        boosts=step * 40,
        migrations=step * 6,
        steals=step * 2,
    )


def vif(domid: int, step: int) -> VifSnapshot:
    return VifSnapshot(
        index=0,
        name=f"vif{domid}.0",
        mac="00:16:3e:00:00:01",
        bridge="xenbr0",
        receive_bytes=step * 1_500_000,
        receive_packets=step * 1000,
        receive_errors=0,
        receive_dropped=step,
        transmit_bytes=step * 66_000,
        transmit_packets=step * 500,
        transmit_errors=0,
        transmit_dropped=0,
        ring_full=step * 3,
        receive_drops={"receive_ring_full": step},
        transmit_drops={},
        rate_limited_ns=step * 10_000_000,
        receive_ring=RingSnapshot(200, 256),
        transmit_ring=RingSnapshot(16, 256),
        rate_limit_bytes=10_000_000,
    )


def vbd(step: int) -> VbdSnapshot:
    return VbdSnapshot(
        device=51712,
        name="xvda",
        backend="phy:/dev/sdb1",
        mode="w",
        read_requests=step * 75,
        write_requests=step * 25,
        read_bytes=step * 75 * 4096,
        write_bytes=step * 25 * 4096,
        out_of_requests=step,
        busy_ns=step * 400_000_000,
        wait_ns=step * 800_000_000,
        answered_requests=step * 100,
        frontend_ring_full=step * 2,
        in_flight_requests=4,
        ring=RingSnapshot(4, 32),
        read_latency=Histogram((0, 0, 0, step * 75, 0, 0, 0, 0, 0, 0, 0, 0), step * 600_000_000),
        write_latency=Histogram((0, 0, 0, 0, step * 25, 0, 0, 0, 0, 0, 0, 0), step * 200_000_000),
    )


def uuid(domid: int) -> str:
    return f"00000000-0000-0000-0000-{domid:012d}"


def domain(domid: int, name: str, step: int) -> DomainSnapshot:
    is_dom0 = domid == 0
    return DomainSnapshot(
        domid=domid,
        name=name,
        uuid=uuid(domid),
        kind="dom0" if is_dom0 else "pv",
        os="linux",
        arch="x86_64",
        running=is_dom0,
        runnable=False,
        blocked=not is_dom0,
        paused=False,
        shutdown=False,
        crashed=False,
        dying=False,
        shutdown_reason=None,
        created_ns=0,
        cpu_ns=step * 600_000_000,
        memory_kib=262_144,
        target_kib=262_144,
        maximum_kib=None if is_dom0 else 524_288,
        is_memory_unlimited=is_dom0,
        balloon="reached",
        configured_memory_kib=262_144,
        weight=256,
        cap_percent=0 if is_dom0 else 50,
        vcpus=(vcpu(0, step), vcpu(1, step)),
        vifs=() if is_dom0 else (vif(domid, step),),
        vbds=() if is_dom0 else (vbd(step),),
        waits={
            "wake": Histogram(
                tuple(step * (i % 4) for i in range(len(WAIT_BUCKETS_NS) + 1)), step * 100_000_000
            ),
            "preempted": Histogram(
                tuple(step * (i % 3) for i in range(len(WAIT_BUCKETS_NS) + 1)), step * 60_000_000
            ),
        },
        on_behalf={
            other: ModeTimes(step * 5_000_000, step * 25_000_000, step * 20_000_000)
            for other in NAMES
        }
        if is_dom0
        else None,
        virq_total=step * 100,
        evtchn_notifications=step * 2000,
        hypercalls=step * 5000,
        event_channels=12,
        event_channels_limit=4096,
        grants=280,
        grants_limit=2048,
        page_flips=step * 900,
        page_copies=step * 30,
        user_ns=step * 400_000_000,
        kernel_ns=step * 150_000_000,
        hypervisor_ns=step * 50_000_000,
        demand_kib=163_840 if is_dom0 else 327_680,
        swapped_kib=0 if is_dom0 else 65_536,
        page_ins=0 if is_dom0 else step * 40,
        page_outs=0 if is_dom0 else step * 10,
        oom_kills=step if name == NAMES[1] else 0,
        restart_count=step if name == NAMES[2] else 0,
        kernel=GuestKernelSnapshot(0.5, 0.25, 0.1, step * 1200, step * 1100),
    )


def grumble(step: int = 10) -> HostSnapshot:
    return HostSnapshot(
        generation=step,
        time_ns=step * SECOND,
        unix_ns=1_170_000_000 * SECOND + step * SECOND,
        host="grumble",
        cpu_type="p4-ht",
        mhz=3200,
        sockets=2,
        cores_per_socket=1,
        threads_per_core=2,
        xen_major=3,
        xen_minor=0,
        xen_extra="-unstable",
        tools="3.0.3",
        scheduler="credit",
        memory_kib=4 * 1024 * 1024,
        free_kib=1024 * 1024,
        scrub_kib=0,
        domains=tuple(domain(domid, name, step) for domid, name in enumerate(NAMES)),
        pcpus=tuple(
            PcpuSnapshot(
                pcpu=number,
                socket=number // 2,
                core=0,
                thread=number % 2,
                user_ns=step * 400_000_000,
                kernel_ns=step * 150_000_000,
                hypervisor_ns=step * 50_000_000,
                idle_ns=step * 400_000_000,
            )
            for number in range(4)
        ),
        xenoprof=XenoprofSnapshot(
            state="profiling",
            active_domains=(0, 3),
            passive_domains=(1,),
            total=step * 1000,
            active=step * 700,
            passive=step * 200,
            idle=step * 400,
            others=step * 80,
            lost=step * 20,
            invalid=0,
            corrupted=0,
        ),
        samples=tuple(
            SampleCount(
                domain=NAMES[domid],
                mode=mode,
                event="GLOBAL_POWER_EVENTS",
                samples=step * 100,
                domid=domid,
                uuid=uuid(domid),
                counted=step * 100 * 100_000,
                measures="cycles",
            )
            for domid in (0, 3)
            for mode in Mode
        ),
        lost=(LostCount(NAMES[3], "ring_full", step * 20, 3, uuid(3)),),
        image_samples=(
            ImageSampleCount(
                NAMES[3],
                3,
                uuid(3),
                Mode.USER,
                "/usr/bin/linpack",
                "GLOBAL_POWER_EVENTS",
                step * 90,
            ),
        ),
        symbol_samples=(
            SymbolSampleCount(
                NAMES[3], 3, uuid(3), "/usr/bin/linpack", "dgemm", "GLOBAL_POWER_EVENTS", step * 60
            ),
        ),
        overhead=(OverheadTime(NAMES[3], 3, uuid(3), "interrupt", step * 2_000_000),),
        nics=(
            NicSnapshot(
                "peth0",
                "xenbr0",
                1_000_000_000,
                step * 3_000_000,
                step * 2000,
                0,
                step,
                step * 130_000,
                step * 1000,
                0,
                0,
            ),
        ),
        disks=(
            DiskSnapshot(
                "sda",
                step * 80,
                step * 30,
                step * 80 * 4096,
                step * 30 * 4096,
                step * 500_000_000,
                step * 900_000_000,
                3,
            ),
        ),
        bridges=(
            BridgeSnapshot("xenbr0", ("peth0", "vif1.0"), step * 3000, step * 3_000_000, step),
        ),
        sources={"runstates": "model", "memory": "model", "vbd": "model"},
        operations=(
            OperationCount("create", "done", Histogram((0, 0, 5, *[0] * 8), 500_000_000)),
            OperationCount("create", "failed", Histogram((1, *[0] * 10), 5_000_000)),
        ),
        counters={"csched_tick": step * 400, "csched_acct": step * 133},
        trace=TraceStatus(
            20, 0x2F000, 0b11, 100_000_000, 1, (300 * step, 200), (100, 200), (step, 0), (10, 0)
        ),
        events={"created": 5, "crashed": step, "balloon_target_set": 2 * step},
    )


def full(step: int = 10) -> HostSnapshot:
    """Return a grumble of which every metric has a series: a domain has crashed as well."""
    crashed = replace(
        domain(len(NAMES), "crashed", step),
        running=False,
        blocked=False,
        shutdown=True,
        crashed=True,
        shutdown_reason=3,
    )
    host = grumble(step)
    return replace(host, domains=(*host.domains, crashed))


def stats(step: int = 10) -> ServiceStats:
    return ServiceStats(
        engine="pure",
        up=True,
        model_seconds=float(step),
        speed=1.0,
        lag_seconds=step * 0.001,
        damaged_files=step // 8,
        started_unix=1_700_000_000.0,
        version="0.1.0",
        collectors={"snapshot": CollectorStats(success=True, duration_seconds=0.002)},
        history=HistoryStats(
            slices=min(step, 360),
            bytes=min(step, 360) * 10_000,
            written=step,
            dropped=step // 10,
            pushes={"pyroscope": PushStats(sent=step, dropped=step // 5, failures=step // 2)},
        ),
        counts=counts(step).figures(),
        render_seconds={"text": 0.003, "openmetrics": 0.004},
        process=ProcessStats(
            cpu_seconds=step * 0.02,
            resident_bytes=90_000_000,
            virtual_bytes=400_000_000,
            open_files=14,
            most_files=1024,
            started_unix=1_699_999_999.5,
            collections=(step * 9, step, 1),
        ),
    )


def counts(step: int) -> Counts:
    made = Counts()
    for signal in SIGNALS:
        made.begin_pushes(signal)
    made.add(Counted.HTTP_REQUESTS, "200", by=step)
    made.add(Counted.SCRAPES, "text", by=step)
    made.add(Counted.SCRAPE_BYTES, "gzip", by=step * 4000)
    made.add(Counted.PUSH_SENT, "metrics", by=step * 500)
    return made


def without(host: HostSnapshot, name: str) -> HostSnapshot:
    """Return the same host one generation later, after the domain was destroyed."""
    alive = tuple(domain for domain in host.domains if domain.name != name)
    return replace(host, generation=host.generation + 1, domains=alive)


@dataclass
class FixedSource:
    """A source whose snapshot the test sets."""

    host: HostSnapshot = field(default_factory=grumble)
    service: ServiceStats = field(default_factory=stats)
    counts: Counts = field(default_factory=Counts)
    journals: Journals = field(default_factory=Journals)
    others: tuple[HostSnapshot, ...] = ()

    def snapshot(self) -> HostSnapshot:
        return self.host

    def snapshots(self) -> list[HostSnapshot]:
        return [self.snapshot(), *self.others]

    def stats(self) -> ServiceStats:
        return self.service

    @property
    def is_ready(self) -> bool:
        return self.service.up
