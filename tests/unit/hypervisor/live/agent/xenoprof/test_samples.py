from uuid import UUID

import pytest

from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xenoprof.buffers import Counts
from hypervisor.live.agent.xenoprof.cycles import CYCLES
from hypervisor.live.agent.xenoprof.profiling import Taken
from hypervisor.live.agent.xenoprof.samples import Tally, chosen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.machine import DYING, Domain, Machine
from tests.support.live.profiled import WEB, guest

WEB_UUID = str(UUID(int=WEB))
WRITTEN = {(WEB, 0): Counts(hypervisor=0, kernel=0, user=2, lost=0)}


def domains(*given):
    return Xen(FakePrivcmd(Machine([Domain(0), *given]))).domains()


def tallied(entries, counted=WRITTEN):
    tally = Tally(domains(guest(WEB)))
    tally.add([Taken(WEB, 0, entries)])
    return tally.samples(CYCLES[0], 1000, counted, [])


def test_samples_at_one_place_are_one_count():
    samples = tallied([(0x42, 0, 0), (0x42, 0, 0)])

    assert ({(WEB, WEB_UUID, 0, 0, 0x42): 2}, []) == (samples.counts, samples.problems)


def test_samples_of_other_counters_are_counted_apart():
    samples = tallied([(0x42, 0, 0), (0x42, 0, 3)])

    assert (1, 1, 0) == (sum(samples.counts.values()), samples.unasked, samples.unplaced)


@pytest.mark.parametrize("entry", [(0x42, 3, 0), (2**64 - 1, 0, 0)], ids=["mode", "escape"])
def test_samples_without_a_place_are_counted_apart(entry):
    samples = tallied([(0x42, 0, 0), entry])

    assert (1, 0, 1) == (sum(samples.counts.values()), samples.unasked, samples.unplaced)


def test_what_found_a_buffer_full_is_told_of_its_domain():
    counted = {(WEB, 0): Counts(0, 0, 2, 5), (WEB, 1): Counts(0, 0, 0, 7)}

    assert {(WEB, WEB_UUID): 12} == tallied([(1, 0, 0)] * 2, counted).lost


def test_what_xen_has_written_and_nobody_has_read_is_told():
    (problem,) = tallied([(1, 0, 0)]).problems

    assert "domain 1 vcpu 0: Xen has written 2 samples, 1 were read" == problem


def test_guests_that_live_are_profiled():
    dying = Domain(3, flags=DYING)

    assert ([1, 2], []) == chosen(domains(guest(1), guest(2), dying))


def test_of_more_than_25_guests_those_are_left_out_that_have_computed_least():
    found, (told,) = chosen(domains(*(guest(number, cpu_ns=number) for number in range(1, 31))))

    assert list(range(6, 31)) == found
    assert "5 guests that have computed least are not profiled: there is room for 25" == told
