"""What the contract of tracers does not say of a real host's; see tests/contract."""

import errno

import pytest

from hypervisor.errors import Refused
from hypervisor.trace_events import LOST_RECORDS, SCHED
from tests.support.contracts import let_pass
from tests.support.live.fake_rings import change
from tests.support.live.traced_host import MS, TracedHost

EVERY_PCPU = (1 << 64) - 1


@pytest.fixture
def host():
    return TracedHost()


def test_records_have_the_time_of_the_host_from_the_first_on(host):
    let_pass(host, 1)
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    let_pass(host, 0.2)

    assert [1000 * MS, 1050 * MS, 1100 * MS, 1150 * MS] == [
        one.time_ns for one in host.tracer.read() if one.pcpu == 0
    ]


def test_records_have_the_events_and_words_of_xen_4(host):
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    let_pass(host, 0.1)
    records = host.tracer.read()

    assert [(0x21101, (1 << 16,)), (0x21011, (1 << 16,))] == [
        (one.event, one.data) for one in records if one.pcpu == 0
    ]


def test_records_taken_while_the_masks_were_changed_are_kept(host):
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    let_pass(host, 0.1)
    host.tracer.set_masks(0, EVERY_PCPU)

    assert (4, False) == (len(host.tracer.read()), host.machine.is_traced)


def test_lost_records_are_counted_and_told(host):
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    for tsc in range(400):
        host.rings.emit(1, change(tsc, 1, 0, 0, 1))
    host.tracer.read()
    host.rings.emit(1, change(400, 1, 0, 0, 1))

    told = [one.data[0] for one in host.tracer.read() if one.event == LOST_RECORDS]

    assert ([145], (0, 145)) == (told, host.tracer.status().lost)


def test_another_program_in_the_rings_is_refused_by_name(host):
    host.tracer.set_masks(SCHED, EVERY_PCPU)
    host.machine.trace_mask = 1 << 12

    with pytest.raises(Refused, match="another program has chosen other events; end it"):
        host.tracer.read()


def test_a_hypervisor_without_trace_buffers_is_refused_in_words(host):
    host.privcmd.denied["sysctl", 2] = errno.ENOSYS

    with pytest.raises(Refused, match="built without trace buffers"):
        host.tracer.set_masks(SCHED, EVERY_PCPU)


def test_rings_that_are_there_keep_their_size(host):
    host.tracer.set_masks(SCHED, EVERY_PCPU)

    with pytest.raises(Refused, match="have 1 pages each until the host boots again"):
        host.tracer.set_ring_pages(20)
