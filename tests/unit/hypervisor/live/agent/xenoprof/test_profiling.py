import errno

import pytest

from hypervisor.live.agent.errors import HypercallFailed, Unavailable
from hypervisor.live.agent.xenoprof.buffers import BufferShared, Counts
from hypervisor.live.agent.xenoprof.hypercall import Xenoprof
from hypervisor.live.agent.xenoprof.profiling import Profiling, Taken
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_xenoprof import NAMES, PROFILING
from tests.support.live.profiled import DB, WEB, ProfiledHost

PERIOD = 1_000_000


@pytest.fixture
def host():
    return ProfiledHost()


def test_domain_0_is_active_and_guests_are_passive_while_it_is_profiled(host):
    event = host.profiling.start([WEB, DB], PERIOD)

    xenoprof = host.xenoprof
    assert (PROFILING, {0: True}, [WEB, DB]) == (xenoprof.state, xenoprof.active, xenoprof.passive)
    assert "CPU_CLK_UNHALTED" == event.name


def test_one_counter_counts_cycles_in_all_modes_and_the_others_are_off(host):
    host.xenoprof.settings = {1: (5, 1, 5, 1, 1, 1, 5)}  # of a profile before
    host.profiling.start([], PERIOD)

    off = (0, 0, 0, 0, 0, 0, 0)
    cycles = (PERIOD, 1, 0x3C, 1, 1, 1, 0)
    assert {0: cycles, 1: off, 2: off, 3: off} == host.xenoprof.settings


def test_samples_of_each_vcpu_are_read_once(host):
    host.profiling.start([WEB], PERIOD)
    host.xenoprof.sample(0, 0, 0xFFFF82D040201940, mode=2)
    host.xenoprof.sample(WEB, 1, 0x401000)
    first = host.profiling.read()
    host.xenoprof.sample(WEB, 1, 0xFFFFFFFF81000000, mode=1)
    left, counted = host.profiling.stop()

    assert [
        Taken(0, 0, [(0xFFFF82D040201940, 2, 0)]),
        Taken(WEB, 1, [(0x401000, 0, 0)]),
    ] == first
    assert [Taken(WEB, 1, [(0xFFFFFFFF81000000, 1, 0)])] == left
    assert Counts(hypervisor=0, kernel=1, user=1, lost=0) == counted[WEB, 1]


def test_guests_that_are_not_listed_are_not_sampled(host):
    host.profiling.start([WEB], PERIOD)
    host.xenoprof.sample(DB, 0, 1)

    assert ([], 1) == (host.profiling.read(), host.xenoprof.others)


def test_at_the_end_nothing_is_mapped_shared_or_primary(host):
    host.profiling.start([WEB, DB], PERIOD)
    host.profiling.stop()

    left = [one for one in host.xenoprof.buffers.values() if one.is_mapped or one.is_shared]
    assert ([], None) == (left, host.xenoprof.primary)


def test_a_guest_that_is_destroyed_meanwhile_is_unmapped_before_its_pages_are_freed(host):
    host.profiling.start([WEB, DB], PERIOD)
    host.xenoprof.sample(WEB, 0, 1)
    host.machine.domains = [one for one in host.machine.domains if one.domid != WEB]

    left, _ = host.profiling.stop()  # the fake has Xen crash otherwise

    assert [Taken(WEB, 0, [(1, 0, 0)])] == left


def test_a_guest_that_has_gone_before_is_left_out_without_a_word(host):
    host.profiling.start([WEB, 9], PERIOD)

    assert ([WEB], []) == (host.xenoprof.passive, host.profiling.problems)


def test_a_guest_that_profiles_itself_is_left_out_and_told(host):
    host.xenoprof.primary, host.xenoprof.asker = 0, WEB
    Xenoprof(host.privcmd).get_buffer(16)
    host.xenoprof.primary, host.xenoprof.asker = None, 0

    host.profiling.start([WEB, DB], PERIOD)

    assert [DB] == host.xenoprof.passive
    assert ["domain 1 is not profiled: Device or resource busy (EBUSY)"] == host.profiling.problems


@pytest.mark.parametrize("operation", [
    "set_active", "get_buffer", "set_passive", "reserve_counters", "counter", "setup_events",
    "enable_virq", "start",
])  # fmt: skip
def test_what_was_killed_before_any_step_is_ended_by_the_next(host, operation):
    killed_at(host, operation)
    host.killed()

    again = Profiling(host.privcmd)
    again.start([WEB, DB], PERIOD)

    xenoprof = host.xenoprof
    assert (PROFILING, {0: True}, [WEB, DB]) == (xenoprof.state, xenoprof.active, xenoprof.passive)
    assert [] == again.problems


def test_what_was_killed_while_xen_samples_is_ended_by_the_next_and_told(host):
    host.profiling.start([WEB, DB], PERIOD)
    host.killed()

    again = Profiling(host.privcmd)
    again.start([WEB], PERIOD)

    assert ["a profile that another program had left running was ended"] == again.problems
    assert [WEB] == host.xenoprof.passive


def test_a_program_that_has_got_buffers_before_it_was_listed_is_ended_too(host):
    other = Xenoprof(host.privcmd)
    other.init()
    other.get_buffer(16)

    host.profiling.start([WEB], PERIOD)

    assert PROFILING == host.xenoprof.state


class Killed(BaseException):
    """Ends a program in the middle of anything."""


def killed_at(host, operation):
    """Have the process killed when it is about to do an operation."""
    is_dead = False

    def call(number, request, real=host.xenoprof.call):
        nonlocal is_dead
        if is_dead:
            raise HypercallFailed(errno.EPERM)  # who is dead does nothing more
        if number < len(NAMES) and NAMES[number] == operation:
            is_dead = True
            raise Killed
        return real(number, request)

    host.xenoprof.call, real = call, host.xenoprof.call
    with pytest.raises(Killed):
        host.profiling.start([WEB, DB], PERIOD)
    host.xenoprof.call = real


@pytest.mark.parametrize(
    ("operation", "number", "told"),
    [
        ("init", errno.ENODEV, "it does not know this processor (ENODEV)"),
        ("init", errno.EACCES, "security policy (FLASK) denies init (EACCES); allow domain 0"),
        ("set_active", errno.EACCES, "security policy (FLASK) denies set_active (EACCES)"),
        ("get_buffer", errno.EBUSY, "another program profiles, or a guest has a PMU (EBUSY)"),
        ("reserve_counters", errno.EBUSY, "taken, as by the watchdog (EBUSY); boot Xen without"),
        ("start", errno.EPERM, "not in the state for start (EPERM): another program uses it too"),
        ("setup_events", errno.ENOMEM, "setup_events: Cannot allocate memory (ENOMEM)"),
    ],
)
def test_a_refusal_is_told_with_what_to_do_and_everything_is_as_before(
    host, operation, number, told
):
    host.xenoprof.denied[operation] = number

    with pytest.raises(Unavailable) as refused:
        host.profiling.start([WEB], PERIOD)

    left = [one for one in host.xenoprof.buffers.values() if one.is_mapped or one.is_shared]
    assert told in str(refused.value)
    assert ([], None) == (left, host.xenoprof.primary)


def test_who_is_interrupted_when_it_has_begun_leaves_nothing_running(host):
    def call(number, request, real=host.xenoprof.call):
        result = real(number, request)
        if NAMES[number : number + 1] == ("start",):
            raise KeyboardInterrupt
        return result

    host.xenoprof.call = call
    with pytest.raises(KeyboardInterrupt):
        host.profiling.start([WEB], PERIOD)

    assert host.xenoprof.primary is None


def test_a_xen_without_xenoprof_says_so():
    with pytest.raises(Unavailable, match="this hypervisor has none: it is Xen 4"):
        Profiling(FakePrivcmd(release="4.22")).start([], PERIOD)


def test_a_domain_that_is_not_domain_0_says_so(host):
    host.xenoprof.asker = WEB

    with pytest.raises(Unavailable, match="it is not domain 0, or not privileged; run this in"):
        host.profiling.start([], PERIOD)


def test_a_processor_whose_events_are_not_known_is_told_and_left_as_before(host):
    host.xenoprof.cpu_type = "i386/itanic"

    with pytest.raises(Unavailable, match="does not know the events of the processor: 'i386/ita"):
        host.profiling.start([], PERIOD)

    assert host.xenoprof.primary is None


def test_what_can_be_profiled_is_found_without_leaving_a_trace(host):
    found, event = host.profiling.find()

    assert ("i386/arch_perfmon", 4, 0x3C) == (found.cpu_type, found.counters, event.number)
    assert (None, {}) == (host.xenoprof.primary, host.xenoprof.buffers)


def test_a_buffer_with_impossible_places_is_told_once_and_the_others_are_read_on(host):
    host.profiling.start([WEB], PERIOD)
    host.xenoprof.buffers[WEB].at(0)[:4] = b"\xff\xff\xff\xff"
    host.xenoprof.sample(WEB, 1, 7)

    assert [Taken(WEB, 1, [(7, 0, 0)])] == host.profiling.read()
    assert [] == host.profiling.read()
    (told,) = host.profiling.problems
    assert told.startswith("Xenoprof: the buffer of domain 1: it is written to 4294967295 and read")


def test_another_program_that_reads_the_buffers_is_noticed(host):
    host.profiling.start([WEB], PERIOD)
    for pc in range(3):
        host.xenoprof.sample(WEB, 0, pc)
    host.xenoprof.buffers[WEB].at(0)[4:8] = b"\x02\0\0\0"

    with pytest.raises(BufferShared, match="another program reads its buffers too"):
        host.profiling.read()


def test_stopping_twice_does_nothing_more(host):
    host.profiling.start([WEB], PERIOD)
    host.profiling.stop()
    calls = len(host.xenoprof.calls)

    assert (([], {}), calls) == (host.profiling.stop(), len(host.xenoprof.calls))
