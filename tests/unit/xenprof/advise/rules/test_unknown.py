"""Advice never rests on what nobody measured, whatever else is known of the host."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xenprof.advise.facts import (
    DiskFacts,
    DomainFacts,
    Facts,
    PcpuFacts,
    PhysicalDiskFacts,
    VifFacts,
)
from xenprof.advise.rules import advice_for

PERCENT = st.none() | st.sampled_from([0.0, 1.0, 4.9, 5.0, 10.0, 20.0, 49.0, 60.0, 90.0, 150.0])
RATE = st.none() | st.sampled_from([0.0, 0.9, 1.0, 9.9, 10.0, 100.0, 400.0])
BITS = st.none() | st.sampled_from([0.0, 1e6, 5e6, 6e7])
MIB = st.none() | st.sampled_from([16, 64, 96, 100, 130, 256, 512, 70_000])
TRUTH = st.none() | st.booleans()
CHOSEN = {"network.card", "pinning.threads", "smp.overcommit"}
"""Of which one guest is chosen: if it cannot be, another may be."""

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


def domains(domid: int) -> st.SearchStrategy[DomainFacts]:
    return st.builds(
        DomainFacts,
        domid=st.just(domid),
        name=st.just(f"domain{domid}"),
        kind=st.sampled_from(["pv", "hvm", None]),
        vcpus=st.none() | st.integers(1, 4),
        running_percent=PERCENT, waiting_percent=PERCENT, capped_percent=PERCENT,
        weight=st.sampled_from([None, 256, 512]), cap=st.sampled_from([None, 0, 25]),
        affinities=st.sampled_from([(), (None,), ((0, 1, 2, 3),), ((0,),)]),
        places=st.sampled_from([(), (None,), (0,), (1,)]),
        loads=st.sampled_from([(), (None,), (60.0,), (90.0,)]),
        migrations_per_second=RATE,
        memory_mib=MIB, maximum_mib=MIB, demand_mib=MIB, swapped_mib=MIB,
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

NEVER_UNKNOWN = {"host", "seconds", "domid", "name", "index", "pcpu", "is_memory_unlimited", "mode"}


def unknown(draw: Any, record: Any) -> Any:
    """Return a record of which some values are unknown, also in the records that it holds."""
    changes: dict[str, object] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
            changes[field.name] = tuple(unknown(draw, one) for one in value)
        elif field.name not in NEVER_UNKNOWN and not isinstance(value, tuple) and draw():
            changes[field.name] = None
    return replace(record, **changes)


def actions(host: Facts) -> set[tuple[str, str]]:
    """Return what is advised that is no matter of a checklist, and where."""
    return {
        (one.id, "" if one.id in CHOSEN else one.where)
        for one in advice_for(host)
        if one.strength != "check"
    }


@settings(max_examples=100)
@given(hosts, st.data())
def test_what_is_known_less_of_gets_no_other_advice(host, data):
    blanks = data.draw(st.randoms(use_true_random=False))
    less = unknown(lambda: blanks.random() < 0.1, host)

    assert actions(less) <= actions(host)


@settings(max_examples=40)
@given(hosts)
def test_no_value_that_is_shown_is_unknown(host):
    for advice in advice_for(host):
        assert [] == [one.name for one in advice.rests_on if one.value is None]
        assert advice.rests_on or advice.strength == "check"


@settings(max_examples=40)
@given(hosts)
def test_every_advice_has_an_experiment_or_says_why_not(host):
    for advice in advice_for(host):
        assert (advice.change is None) == bool(advice.unmeasured)
