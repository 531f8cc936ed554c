"""What domain 0 carries, and what it carries with it."""

from hypervisor.model.network.bridge import PATIENCE_NS
from tests.support.model.hosts import SECOND, domain, make_host
from tests.support.model.lots import Wanderer, lot

GUEST = 1


class Bridged:
    """A bridge of a host whose only traffic is that of the test."""

    def __init__(self):
        self.host = make_host(domain("a"))
        self.host.advance(SECOND)
        self.bridge = self.host.hypercalls.backends.network.first.bridge
        self.ends = Wanderer()

    def carry(self, packets, *, is_patient=False, guest=GUEST):
        one = lot(packets, 0, mark=0, wanderer=self.ends)
        one.is_patient = is_patient
        self.bridge.carry(one, [], guest)

    def wait(self, ns=SECOND // 100):
        self.host.advance(self.host.now_ns + ns)
        return [one.packets for one in self.ends.taken]


def test_a_lot_is_carried_at_once():
    host = Bridged()
    host.carry(3)

    assert host.wait() == [3]


def test_a_patient_lot_goes_with_the_next_one_of_its_guest():
    host = Bridged()
    host.carry(5, is_patient=True)
    alone = host.wait()
    host.carry(3)

    assert (alone, host.wait()) == ([], [3, 5])


def test_a_patient_lot_does_not_go_with_those_of_another_guest():
    host = Bridged()
    host.carry(5, is_patient=True)
    host.carry(3, guest=GUEST + 1)

    assert host.wait() == [3]


def test_a_second_patient_lot_takes_the_place_of_the_first():
    host = Bridged()
    host.carry(5, is_patient=True)
    host.carry(6, is_patient=True)

    assert host.wait() == [5]


def test_a_patient_lot_waits_no_longer_than_a_receiver_may_put_it_off():
    host = Bridged()
    host.carry(5, is_patient=True)

    assert (host.wait(PATIENCE_NS // 2), host.wait(2 * PATIENCE_NS)) == ([], [5])


def test_what_a_bridge_has_carried_is_counted_once():
    host = Bridged()
    before = host.bridge.traffic.receive_packets
    host.carry(5, is_patient=True)
    host.carry(3)
    host.wait()

    assert host.bridge.traffic.receive_packets - before == 8
