import threading

import pytest

from hypervisor.live.agent.web.turns import TooMany, Turns, networks_of
from tests.support.live.agent_parts import PATIENCE_SECONDS


class Announcing(threading.Condition):
    """A condition that says when somebody waits for it."""

    def __init__(self, said):
        super().__init__()
        self._said = said

    def wait(self, timeout=None):
        self._said.release()
        return super().wait(timeout)


class Crowd:
    """Threads that want turns, while one has them; each is there before the next one comes."""

    def __init__(self, places=4, troubles=None, seconds=PATIENCE_SECONDS):
        self.turns = Turns(places, seconds, lambda network: (troubles or {}).get(network, 0))
        self.turns.take(networks_of("203.0.113.1"))
        self.served = []
        self.refused = []
        self._threads = []
        self._settled = threading.Semaphore(0)
        self.turns._changed = Announcing(self._settled)

    def comes(self, address):
        def run():
            try:
                self.turns.take(networks_of(address))
            except TooMany:
                self.refused.append(address)
                self._settled.release()
                return
            self.served.append(address)
            self.turns.leave()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()
        assert self._settled.acquire(timeout=PATIENCE_SECONDS)

    def end(self):
        self.turns.leave()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)


def test_turns_are_given_as_they_come():
    crowd = Crowd()
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.1"):
        crowd.comes(address)
    crowd.end()

    assert ["192.0.2.1"] * 3 == crowd.served


def test_the_network_that_takes_most_places_makes_room():
    crowd = Crowd()
    for number in range(3):
        crowd.comes(f"10.9.{number}.1")
    crowd.comes("192.0.2.1")
    crowd.end()

    assert ("192.0.2.1", ["10.9.2.1"]) == (crowd.served[0], crowd.refused)


def test_who_is_of_the_network_that_takes_most_places_is_refused():
    crowd = Crowd()
    for address in ("10.9.1.1", "10.9.2.1", "192.0.2.1", "10.9.3.1"):
        crowd.comes(address)
    crowd.end()

    assert ["10.9.3.1"] == crowd.refused


def test_whose_neighbours_were_wrong_are_last():
    crowd = Crowd(troubles={network: 1 for network in networks_of("10.9.1.1")})
    for address in ("10.9.2.1", "192.0.2.1"):
        crowd.comes(address)
    crowd.end()

    assert ["192.0.2.1", "10.9.2.1"] == crowd.served


def test_nobody_waits_longer_than_that():
    turns = Turns(4, 0.01, lambda network: 0)
    turns.take(networks_of("192.0.2.1"))

    with pytest.raises(TooMany):
        turns.take(networks_of("192.0.2.2"))


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("192.0.2.1", "192.0.9.1", 1),
        ("192.0.2.1", "192.0.2.9", 2),
        ("2001:db8::1", "2001:db8:1::1", 1),
        ("2001:db8::1", "2001:db8:0:1::1", 2),
        ("2001:db8::1%eth0", "2001:db8::ffff:1", 3),
        ("32.1.13.184", "2001:db8::1", 0),
    ],
)
def test_addresses_share_networks(one, other, shared):
    assert shared == len(set(networks_of(one)) & set(networks_of(other)))


def test_a_socket_has_one_network():
    assert ("",) == networks_of("")
