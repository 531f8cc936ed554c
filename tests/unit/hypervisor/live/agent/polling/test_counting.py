import errno
from uuid import UUID

from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fakes import SECOND
from tests.support.live.machine import Domain, Machine, Vcpu
from tests.support.live.polled import Polled

POOLS = ("sysctl", 18)
AFFINITY = ("domctl", 25)


def in_two_pools(*more):
    domains = [Domain(0), Domain(1, UUID(int=1), pool=1), *more]
    return Polled(FakePrivcmd(Machine(domains, pools={0: 5, 1: 6})))


def weights(report):
    return [one.weight for one in report.domains]


def affinities(report, domid):
    (found,) = (one for one in report.domains if one.domid == domid)
    return {vcpu.affinity for vcpu in found.vcpus}


def test_pools_that_were_refused_once_are_as_they_were_before():
    polled = in_two_pools()
    polled.poll()
    polled.machine.domains.append(Domain(2, UUID(int=2)))
    polled.privcmd.denied = {POOLS: errno.EBUSY}

    assert [256, 256, 256] == weights(polled.poll())


def test_pools_that_were_refused_at_first_are_asked_for_again_in_the_next_poll():
    polled = in_two_pools()
    polled.privcmd.denied = {POOLS: errno.EBUSY}
    refused = polled.poll()
    polled.privcmd.denied = {}
    answered = polled.poll()

    assert ([256, None], [256, 256]) == (weights(refused), weights(answered))


def test_pools_that_are_always_refused_are_told_in_every_poll():
    polled = in_two_pools()
    polled.privcmd.denied = {POOLS: errno.EPERM}

    assert [1, 1, 1] == [
        sum(line.startswith("pools: ") for line in polled.poll().problems) for _ in range(3)
    ]


def test_schedulers_are_looked_for_again_after_30_s():
    polled = in_two_pools()
    polled.poll()
    polled.machine.pools[1] = 5

    assert [[256, None], [256, 256]] == [
        weights(polled.poll(29 * SECOND)),
        weights(polled.poll(SECOND)),
    ]


def test_an_affinity_that_was_refused_once_is_as_it_was_before():
    polled = in_two_pools()
    polled.poll()
    polled.privcmd.denied = {AFFINITY: errno.EBUSY}
    report = polled.poll()

    assert {(0, 1)} == affinities(report, 1)
    assert ["affinity"] == [line.split(":")[0] for line in report.problems]


def test_what_was_read_of_many_is_no_affinity_when_they_are_many_again():
    many = [Vcpu(affinity=(0, 1)) for _ in range(120)]
    polled = in_two_pools(Domain(2, UUID(int=2), vcpus=many))
    other = Domain(3, UUID(int=3), vcpus=[Vcpu() for _ in range(120)])
    polled.machine.domains.append(other)
    for _ in range(3):
        polled.poll()
    polled.machine.domains.remove(other)
    for vcpu in many:
        vcpu.affinity = (1,)
    polled.poll()
    polled.machine.domains.append(other)

    assert {(1,)} == affinities(polled.poll(3600 * SECOND), 2)


def test_vcpus_that_do_not_answer_are_not_asked_for_their_affinity():
    polled = in_two_pools(Domain(2, UUID(int=2), highest_vcpu=8191))
    polled.poll()
    polled.privcmd.calls.clear()
    polled.poll()

    assert 3 == sum(call[:2] == AFFINITY for call in polled.privcmd.calls)
