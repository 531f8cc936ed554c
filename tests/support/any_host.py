"""Facts of hosts of all kinds, for property tests of advice."""

from hypothesis import strategies as st

from xenprof.advise.facts import (
    DiskFacts,
    DomainFacts,
    Facts,
    PcpuFacts,
    PhysicalDiskFacts,
    VcpuFacts,
    VifFacts,
)

PERCENT = st.none() | st.sampled_from([0.0, 1.0, 4.9, 5.0, 10.0, 20.0, 49.0, 60.0, 90.0, 150.0])
RATE = st.none() | st.sampled_from([0.0, 0.9, 1.0, 9.9, 10.0, 100.0, 400.0])
BITS = st.none() | st.sampled_from([0.0, 1e6, 5e6, 6e7])
MIB = st.none() | st.sampled_from([16, 64, 96, 100, 130, 256, 512, 70_000])
TRUTH = st.none() | st.booleans()
disks = st.builds(
    DiskFacts,
    name=st.sampled_from(["xvda", None]),
    mode=st.just("w"),
    backend=st.sampled_from(["phy:/dev/sdb1", "file:/a", "tap:aio:/b", None]),
    store=st.sampled_from(["disk", "ext3", "fc", None]),
    disk=st.sampled_from(["sda", None]),
    reads_per_second=RATE, writes_per_second=RATE, answered_per_second=RATE,
    await_ms=PERCENT, busy_percent=PERCENT, outstanding=PERCENT, is_emulated=TRUTH,
)  # fmt: skip
vifs = st.builds(
    VifFacts,
    index=st.just(0),
    mac=st.none(), bridge=st.none(),
    receive_bits_per_second=BITS, transmit_bits_per_second=BITS, receive_dropped_per_second=RATE,
    rate_bytes_per_second=st.sampled_from([None, 1_250_000]),
    rate_window_us=st.sampled_from([None, 50_000]),
    is_limited=TRUTH, limited_percent=PERCENT, is_emulated=TRUTH,
)  # fmt: skip


online = st.builds(
    VcpuFacts,
    vcpu=st.just(0),
    affinity=st.sampled_from([None, (0, 1, 2, 3), (0,)]),
    place=st.sampled_from([None, 0, 1]),
    load_percent=st.sampled_from([None, 60.0, 90.0]),
)


def domains(domid: int) -> st.SearchStrategy[DomainFacts]:
    return st.builds(
        DomainFacts,
        domid=st.just(domid),
        name=st.just(f"domain{domid}"),
        kind=st.sampled_from(["pv", "hvm", None]),
        vcpus=st.none() | st.integers(1, 4),
        running_percent=PERCENT, waiting_percent=PERCENT, capped_percent=PERCENT,
        weight=st.sampled_from([None, 256, 512]), cap=st.sampled_from([None, 0, 25]),
        online=st.lists(online, max_size=1).map(tuple),
        migrations_per_second=RATE,
        memory_mib=MIB, maximum_mib=MIB, demand_mib=MIB,
        page_ins_per_second=RATE, oom_kills=st.sampled_from([None, 0, 1]),
        served_percent=PERCENT,
        vifs=st.lists(vifs, max_size=1).map(tuple),
        disks=st.lists(disks, max_size=1).map(tuple),
        disk_elevator=st.sampled_from([None, "noop", "cfq"]),
    )  # fmt: skip


hosts = st.builds(
    Facts,
    host=st.just("host"),
    seconds=st.just(20.0),
    domains=st.tuples(domains(0), domains(1), domains(2)),
    pcpus=st.tuples(
        *[
            st.builds(
                PcpuFacts, st.just(n), st.sampled_from([None, n // 2]), st.just(0), PERCENT
            )
            for n in range(4)
        ]
    ),
    disks=st.tuples(
        st.builds(
            PhysicalDiskFacts,
            st.just("sda"), st.sampled_from([None, "cfq", "deadline"]), PERCENT, RATE, RATE,
        )
    ),
    cpu_type=st.sampled_from([None, "hammer", "core_2"]),
    arch=st.sampled_from([None, "x86_64", "i386"]),
    xen_major=st.sampled_from([None, 3, 4]),
    scheduler=st.sampled_from([None, "credit"]),
    free_mib=MIB,
)  # fmt: skip
"""Three domains on four pcpus, of which anything may be unknown."""
