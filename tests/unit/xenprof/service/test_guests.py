from dataclasses import dataclass

import pytest

from xenprof.service.guests import Guests, origin_of
from xenprof.service.limits import Limits


@dataclass
class Line:
    """A connection of which only one thing is known."""

    is_idle: bool


class Task:
    """A task that knows whether it was cancelled."""

    is_cancelled = False

    def cancel(self):
        self.is_cancelled = True


def come(guests, address, *, is_idle=True):
    guest = guests.admit(address)
    if guest is not None:
        guest.connection, guest.task = Line(is_idle), Task()
    return guest


@pytest.fixture
def guests():
    return Guests(Limits(places=4, places_per_address=2))


def test_as_many_are_let_in_as_there_are_places(guests):
    came = [come(guests, address) for address in ("a", "a", "b", "b")]

    assert not any(guest.task.is_cancelled for guest in came)


def test_who_comes_takes_the_place_of_the_one_of_its_address_that_waited_longest(guests):
    first, second, other = come(guests, "a"), come(guests, "a"), come(guests, "b")
    come(guests, "a")

    assert [guest.task.is_cancelled for guest in (first, second, other)] == [True, False, False]


def test_one_that_is_being_answered_keeps_its_place(guests):
    busy, idle = come(guests, "a", is_idle=False), come(guests, "a")
    come(guests, "a")

    assert [busy.task.is_cancelled, idle.task.is_cancelled] == [False, True]


def test_nobody_is_let_in_while_all_of_its_address_are_being_answered(guests):
    come(guests, "a", is_idle=False)
    come(guests, "a", is_idle=False)

    assert come(guests, "a") is None
    assert come(guests, "b") is not None


def test_in_a_full_house_one_of_the_largest_party_makes_room(guests):
    single = come(guests, "b")
    party = [come(guests, "a"), come(guests, "a")]
    come(guests, "c")
    come(guests, "d")

    assert [guest.task.is_cancelled for guest in (single, *party)] == [False, True, False]


def test_a_place_that_was_left_is_free(guests):
    for _ in range(9):
        guest = come(guests, "a", is_idle=False)
        guests.remove(guest)
        guests.remove(guest)

    assert list(guests) == []


def test_one_that_still_sets_up_tls_is_idle(guests):
    assert guests.admit("a").is_idle


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address, origin):
    assert origin_of(address) == origin
