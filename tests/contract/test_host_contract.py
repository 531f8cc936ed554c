"""The contract of every host with the programs above it: time, telemetry, and its capabilities.

The contract of a capability is in the file of its name. A host takes part by a
line in HOSTS.
"""

from dataclasses import astuple
from itertools import pairwise
from typing import get_args

import pytest

from hypervisor.errors import Capability, MissingCapability
from hypervisor.host import profiler_of, toolstack_of, tracer_of
from hypervisor.telemetry import DATA_KINDS, DATA_SOURCES
from tests.support.contracts import SECOND, let_pass

CAPABILITIES = get_args(Capability)
ASKED = {"toolstack": toolstack_of, "profiler": profiler_of, "tracer": tracer_of}


def test_it_offers_what_it_claims(host, claim):
    offered = tuple(one for one in CAPABILITIES if getattr(host, one) is not None)

    assert claim.capabilities == offered


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_it_does_not_offer_is_refused_by_name(host, claim, capability):
    if capability in claim.capabilities:
        assert ASKED[capability](host) is getattr(host, capability)
    else:
        with pytest.raises(MissingCapability) as refused:
            ASKED[capability](host)

        assert capability == refused.value.capability


def test_time_goes_where_it_is_told(host):
    let_pass(host, 0.25)

    assert host.now_ns == SECOND // 4


def test_time_goes_until_something_is_so(host):
    is_so = host.advance_until(lambda: host.now_ns >= SECOND // 10, SECOND)

    assert (is_so, SECOND // 10 <= host.now_ns < SECOND) == (True, True)


def test_time_goes_no_further_than_its_limit(host):
    is_so = host.advance_until(lambda: False, SECOND // 10)

    assert (is_so, host.now_ns) == (False, SECOND // 10)


def test_each_snapshot_is_newer_than_the_one_before(host):
    first = host.telemetry.snapshot()
    let_pass(host, 0.5)
    second = host.telemetry.snapshot()

    assert (second.generation, second.time_ns, second.unix_ns) == (
        first.generation + 1,
        first.time_ns + SECOND // 2,
        first.unix_ns + SECOND // 2,
    )


def test_domains_come_by_id_and_domain_0_is_first(host):
    domids = [one.domid for one in host.telemetry.snapshot().domains]

    assert (domids, domids[0]) == (sorted(set(domids)), 0)


def test_runstates_of_a_vcpu_add_up_to_its_life(host):
    let_pass(host, 1.5)
    now = host.telemetry.snapshot()
    lives = {
        now.time_ns - one.created_ns
        - vcpu.running_ns - vcpu.runnable_ns - vcpu.blocked_ns - vcpu.offline_ns - vcpu.capped_ns
        for one in now.domains
        for vcpu in one.vcpus
        if vcpu.capped_ns is not None
    }  # fmt: skip

    assert lives <= {0}


def test_modes_of_a_pcpu_add_up_to_its_life(host):
    let_pass(host, 1.5)
    now = host.telemetry.snapshot()
    lives = {
        now.time_ns - pcpu.user_ns - pcpu.kernel_ns - pcpu.hypervisor_ns - pcpu.idle_ns
        for pcpu in now.pcpus
        if pcpu.user_ns is not None
    }

    assert lives <= {0}


def test_what_vcpus_ran_is_what_pcpus_were_not_idle(host):
    let_pass(host, 1.5)
    now = host.telemetry.snapshot()
    ran_ns = sum(one.cpu_ns for one in now.domains)
    busy_ns = [
        pcpu.user_ns + pcpu.kernel_ns + pcpu.hypervisor_ns
        for pcpu in now.pcpus
        if pcpu.user_ns is not None
    ]

    assert ran_ns == sum(busy_ns) or not busy_ns  # unknown


def test_waits_are_counted_in_their_buckets(host):
    let_pass(host, 1)

    assert all(
        len(waits.counts) == 14 and min(waits.counts) >= 0
        for one in host.telemetry.snapshot().domains
        for waits in (one.waits or {}).values()
    )


def test_waits_are_told_by_what_made_a_vcpu_wait(host):
    causes = {frozenset(one.waits or ()) for one in host.telemetry.snapshot().domains}

    assert causes <= {frozenset(), frozenset({"wake", "preempted"})}


def test_what_a_driver_domain_did_for_others_is_all_that_it_ran(host):
    let_pass(host, 1.5)
    drivers = [one for one in host.telemetry.snapshot().domains if one.on_behalf is not None]

    assert [
        (one.cpu_ns, one.user_ns, one.kernel_ns, one.hypervisor_ns) for one in drivers
    ] == [
        (
            sum(times.total_ns for times in one.on_behalf.values()),
            sum(times.user_ns for times in one.on_behalf.values()),
            sum(times.kernel_ns for times in one.on_behalf.values()),
            sum(times.hypervisor_ns for times in one.on_behalf.values()),
        )
        for one in drivers
    ]  # fmt: skip


def test_what_it_did_for_a_domain_never_falls(host):
    seen = []
    for _ in range(20):
        let_pass(host, 0.013_7)
        domain0 = host.telemetry.snapshot().domains[0]
        seen.append({name: astuple(times) for name, times in (domain0.on_behalf or {}).items()})

    assert [] == [
        (name, old, new)
        for before, after in pairwise(seen)
        for name, spent in before.items()
        for old, new in zip(spent, after[name], strict=True)
        if new < old
    ]


def test_each_kind_of_data_has_a_source_that_is_known(host):
    sources = host.telemetry.snapshot().sources

    assert (set(sources) - set(DATA_KINDS), set(sources.values()) - set(DATA_SOURCES)) == (
        set(),
        set(),
    )


def test_a_domain_that_runs_is_neither_runnable_nor_blocked(host):
    let_pass(host, 0.5)

    assert {1} >= {
        sum(map(bool, (one.running, one.runnable, one.blocked)))
        for one in host.telemetry.snapshot().domains
        if one.running
    }
