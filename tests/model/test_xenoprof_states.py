"""The profiler's state machine: what is allowed in each state, and how the rest is refused.

Source: the operations of xen/arch/x86/oprofile/xenoprof.c (3.0.3), in the reference's words.
"""

import errno

import pytest

from hypervisor.errors import OprofilefsError, Refused
from hypervisor.model.codebook.overheads import Overheads
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.sample_log import SampleLog
from hypervisor.model.profiling.xenoprof import IDLE, PROFILING, READY, RESERVED, Xenoprof
from tests.support.model.hosts import MS, cpu, domain, make_host
from tests.support.model.profiling import begin, count_now, set_counter, xenoprof_now

STATES = (IDLE, RESERVED, READY, PROFILING)
CONFIG = CounterConfig(event=0x1D, unit_mask=1, count=100_000, kernel=True, user=True)


@pytest.fixture(scope="module")
def host():
    names = [f"d{number}" for number in range(1, 5)]
    return make_host(*(domain(name, memory_mib=16) for name in names), memory_mib=1024)


@pytest.fixture
def xen(host):
    costs = Overheads(host.code)
    samples = SampleLog(costs.sample, costs.backtrace_frame)
    xenoprof = Xenoprof(host.execution, host.pmu, samples, can_profile=True)
    yield xenoprof
    host.execution.accounting.is_counting = False


def bring(xen, host, state, active=(0,)):
    """Bring a fresh profiler into a state as domain 0's driver does; others are not ready."""
    xen.init(0)
    for domid in active:
        xen.set_active(domid)
        xen.get_buffer(host.hypercalls.live[domid])
    if state in (RESERVED, READY, PROFILING):
        xen.reserve_counters()
        xen.counter(0, CONFIG)
    if state in (READY, PROFILING):
        xen.setup_events()
        xen.enable_virq(host.hypercalls.live[0])
    if state == PROFILING:
        xen.start()


OPERATIONS = {
    "init": lambda xen, domains: xen.init(1),
    "reset_active_list": lambda xen, domains: xen.reset_active_list(),
    "reset_passive_list": lambda xen, domains: xen.reset_passive_list(),
    "set_active": lambda xen, domains: xen.set_active(1),
    "set_passive": lambda xen, domains: xen.set_passive(domains[2]),
    "reserve_counters": lambda xen, domains: xen.reserve_counters(),
    "counter": lambda xen, domains: xen.counter(3, CONFIG),
    "setup_events": lambda xen, domains: xen.setup_events(),
    "enable_virq": lambda xen, domains: xen.enable_virq(domains[0]),
    "start": lambda xen, domains: xen.start(),
    "stop": lambda xen, domains: xen.stop(),
    "disable_virq": lambda xen, domains: xen.disable_virq(0),
    "release_counters": lambda xen, domains: xen.release_counters(),
    "shutdown": lambda xen, domains: xen.shutdown(),
    "get_buffer": lambda xen, domains: xen.get_buffer(domains[3]),
}
ALLOWED = {
    "init": STATES,
    "reset_active_list": STATES,
    "reset_passive_list": STATES,
    "set_active": (IDLE,),
    "set_passive": (IDLE,),
    "reserve_counters": (IDLE,),
    "counter": (RESERVED,),
    "setup_events": (RESERVED,),
    "enable_virq": STATES,
    "start": (READY,),
    "stop": (PROFILING,),
    "disable_virq": (IDLE, RESERVED, READY),
    "release_counters": (RESERVED, READY),
    "shutdown": (IDLE,),
    "get_buffer": STATES,
}
LEADS_TO = {
    ("reserve_counters", IDLE): RESERVED,
    ("setup_events", RESERVED): READY,
    ("start", READY): PROFILING,
    ("stop", PROFILING): READY,
    ("release_counters", RESERVED): IDLE,
    ("release_counters", READY): IDLE,
}


def refusal(call):
    """Return the errno of a refused call; None if it succeeded."""
    try:
        call()
    except OprofilefsError as error:
        return error.errno
    return None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_is_allowed_in_its_states_only(xen, host, operation, state):
    bring(xen, host, state)
    got = refusal(lambda: OPERATIONS[operation](xen, host.hypercalls.live))
    allowed = state in ALLOWED[operation]
    assert (None if allowed else errno.EPERM, LEADS_TO.get((operation, state), state)) == (
        got,
        xen.state,
    )


def test_only_domain_0_becomes_primary_and_it_stays(xen):
    seen = []
    for domid in (1, 0, 2):
        xen.init(domid)
        seen.append(xen.domains.primary)
    assert [None, 0, 0] == seen


def test_a_counter_needs_an_active_domain(xen):
    xen.init(0)
    xen.reserve_counters()
    assert errno.EPERM == refusal(lambda: xen.counter(0, CONFIG))


def test_counters_end_at_8(xen, host):
    bring(xen, host, RESERVED)
    assert [None, errno.E2BIG] == [
        refusal(lambda index=index: xen.counter(index, CONFIG)) for index in (8, 9)
    ]


def test_the_active_list_takes_25_domains(xen):
    xen.init(0)
    got = [refusal(lambda domid=domid: xen.set_active(domid)) for domid in range(26)]
    assert [None] * 25 + [errno.E2BIG] == got


def test_the_passive_list_takes_25_domains():
    many = make_host(
        *(domain(f"d{n}", memory_mib=8, vif=[], disk=[]) for n in range(26)), memory_mib=2048
    )
    many.xenoprof.init(0)
    got = [
        refusal(lambda domid=domid: many.xenoprof.set_passive(many.hypercalls.live[domid]))
        for domid in range(1, 27)
    ]
    assert [None] * 25 + [errno.E2BIG] == got


@pytest.mark.parametrize("has_buffer", [False, True])
def test_the_virq_needs_a_place_on_the_list_and_a_buffer(xen, host, has_buffer):
    bring(xen, host, RESERVED)
    unlisted = host.hypercalls.live[1]
    if has_buffer:
        xen.get_buffer(unlisted)
    assert errno.EPERM == refusal(lambda: xen.enable_virq(unlisted))


def test_the_virq_needs_a_buffer_of_a_listed_domain_too(xen, host):
    xen.init(0)
    xen.set_active(1)
    assert errno.EPERM == refusal(lambda: xen.enable_virq(host.hypercalls.live[1]))


def test_counting_starts_when_all_listed_domains_are_ready(xen, host):
    bring(xen, host, READY, active=(0, 1, 2))
    got = [refusal(xen.start)]
    for domid in (1, 2):
        xen.enable_virq(host.hypercalls.live[domid])
        got.append(refusal(xen.start))
    assert [errno.EPERM, errno.EPERM, None] == got


def test_the_refusal_names_the_domains_that_are_missing(xen, host):
    bring(xen, host, READY, active=(0, 1, 2, 3))
    xen.enable_virq(host.hypercalls.live[2])
    with pytest.raises(OprofilefsError, match=r"not run opcontrol --start yet: 1,3$"):
        xen.start()


def test_a_domain_listed_twice_never_gets_ready_twice(xen, host):
    bring(xen, host, READY, active=(0, 1, 1))
    xen.enable_virq(host.hypercalls.live[1])
    with pytest.raises(OprofilefsError, match="3 active domains are listed and 2 became ready"):
        xen.start()


def test_a_daemon_started_twice_counts_twice_until_the_lists_are_reset(xen, host):
    bring(xen, host, PROFILING)
    xen.enable_virq(host.hypercalls.live[0])  # for a new daemon: the old one could not release it
    xen.stop()
    refused = refusal(xen.start)
    xen.release_counters()
    xen.reset_active_list()
    bring(xen, host, PROFILING)
    assert (errno.EPERM, PROFILING) == (refused, xen.state)


def test_a_domain_that_disables_its_virq_leaves_the_list(xen, host):
    bring(xen, host, READY, active=(0, 1))
    xen.enable_virq(host.hypercalls.live[1])
    xen.disable_virq(1)
    xen.start()
    assert ((0,), PROFILING) == (tuple(xen.domains.active), xen.state)


def test_the_list_is_cleared_when_the_last_ready_domain_leaves(xen, host):
    bring(xen, host, READY, active=(0, 1, 2))
    xen.disable_virq(0)
    assert (0, 0, {}) == (xen.domains.activated, xen.domains.listed, xen.domains.active)


def test_ready_domains_stay_listed_when_the_primary_leaves(xen, host):
    bring(xen, host, READY, active=(0, 1))
    xen.enable_virq(host.hypercalls.live[1])
    xen.disable_virq(0)
    xen.release_counters()
    assert (IDLE, {1: True}) == (xen.state, xen.domains.active)


def test_releasing_the_counters_resets_the_passive_list_only(xen, host):
    xen.init(0)
    xen.set_passive(host.hypercalls.live[2])
    bring(xen, host, READY)
    xen.release_counters()
    assert ({}, {0: True}) == (xen.domains.passive, xen.domains.active)


def test_shutdown_forgets_the_lists_and_the_primary(xen, host):
    bring(xen, host, IDLE, active=(0, 1))
    xen.set_passive(host.hypercalls.live[2])
    xen.shutdown()
    assert ({}, {}, None, 0) == (
        xen.domains.active,
        xen.domains.passive,
        xen.domains.primary,
        xen.domains.listed,
    )


def test_statistics_are_zeroed_by_the_primary_only():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(50 * MS)
    host.profiler.oprofile("0").write("enable", "0")
    before = host.xenoprof.tally.total
    host.xenoprof.enable_virq(host.hypercalls.live[1])
    by_guest = host.xenoprof.tally.total
    host.xenoprof.enable_virq(host.hypercalls.live[0])
    now = xenoprof_now(host)
    assert by_guest == before > 1000
    assert {0} == {now.total, now.active, now.passive, now.others, now.lost}


def test_enabling_empties_the_ring_and_tells_who_never_read_it():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.profiler.oprofile("a").close_buffer()  # refused by Xen, which continues to fill the ring
    host.advance(50 * MS)
    count_now(host)
    left = host.xenoprof.unread(1)
    host.profiler.oprofile("a").open_buffer()
    assert (15, 0, {1: 15}) == (left, host.xenoprof.unread(1), host.xenoprof.tally.never_read)


# -- Processors and guests that cannot take part


def core_2(rules):
    return make_host(domain("a"), cpu="core_2", hypervisor=rules)


def test_stock_3_0_3_does_not_profile_a_core_2():
    host = core_2("3.0.3")
    driver = host.profiler.oprofile("0")
    assert (errno.ENODEV, "timer") == (refusal(driver.open_buffer), driver.read("cpu_type"))


def test_a_core_2_is_profiled_by_3_1():
    host = core_2("3.1")
    driver = host.profiler.oprofile("0")
    assert (None, "i386/core_2") == (refusal(driver.open_buffer), driver.read("cpu_type"))


def test_a_timer_driver_has_no_counters():
    assert errno.EINVAL == refusal(lambda: core_2("3.0.3").profiler.oprofile("0").read("0/event"))


def test_an_hvm_guest_cannot_be_active():
    host = make_host(domain("windows", kind="hvm", vif=[], disk=[]))
    assert errno.EINVAL == refusal(
        lambda: host.profiler.oprofile("0").write("active_domains", "0,1")
    )


def test_an_hvm_guest_has_no_driver_but_can_be_passive():
    host = make_host(domain("windows", cpu(), kind="hvm", vif=[], disk=[]))
    with pytest.raises(Refused, match="passive"):
        host.profiler.oprofile("windows")
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(50 * MS)
    assert xenoprof_now(host).passive > 1000
