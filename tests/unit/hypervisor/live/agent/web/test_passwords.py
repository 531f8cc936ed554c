import base64
import threading

import bcrypt as reference
import pytest

from hypervisor.live.agent.web import passwords
from hypervisor.live.agent.web.passwords import NoBcrypt, Passwords, bcrypt
from hypervisor.live.agent.web.turns import TooMany
from tests.support.live.agent_parts import PATIENCE_SECONDS


def hashed(password: str, prefix: bytes = b"2b", cost: int = 4) -> str:
    made = reference.hashpw(password.encode(), reference.gensalt(cost)).decode()
    return made.replace("$2b$", f"${prefix.decode()}$")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Counting:
    """A bcrypt that counts how much it works, in units of cost 0, and for which settings."""

    def __init__(self):
        self.hash = bcrypt()
        self.work = 0
        self.calls = 0

    def __call__(self, password, setting):
        self.work += 2 ** int(setting[4:6])
        self.calls += 1
        return self.hash(password, setting)


@pytest.fixture
def counting():
    return Counting()


@pytest.mark.parametrize("prefix", [b"2b", b"2y", b"2a"])
def test_the_c_library_hashes_as_bcrypt_does(prefix):
    wanted = hashed("secret", prefix)

    assert wanted == bcrypt()(b"secret", wanted)


def test_where_no_library_knows_bcrypt_that_is_said(monkeypatch):
    monkeypatch.setattr(passwords, "_LIBRARIES", ("libnone.so.1",))

    with pytest.raises(NoBcrypt, match="knows no bcrypt"):
        bcrypt()


@pytest.mark.parametrize(
    ("authorization", "is_let_in"),
    [
        (basic("ann", "secret"), True),
        (basic("ann", "secret").replace("Basic", "bAsIc"), True),
        (basic("ann", "Secret"), False),
        (basic("ann", ""), False),
        (basic("bob", "secret"), False),
        (basic("ann", "secret\0more"), False),
        (basic("ann", "s" * 73), False),
        ("", False),
        ("Basic", False),
        ("Basic ????", False),
        ("Bearer secret", False),
        ("Basic " + base64.b64encode(b"ann").decode(), False),
        ("Basic " + base64.b64encode(b"\xff:secret").decode(), False),
        ("Basic \u20ac", False),
    ],
)
def test_the_right_password_is_let_in_and_no_other(authorization, is_let_in):
    users = {"ann": hashed("secret")}

    assert is_let_in == Passwords(users, bcrypt()).let_in(authorization, "192.0.2.1")


def test_a_right_password_is_hashed_once(counting):
    check = Passwords({"ann": hashed("secret")}, counting)

    assert [True] * 5 == [check.let_in(basic("ann", "secret"), "192.0.2.1") for _ in range(5)]
    assert 1 == counting.calls


def test_all_refusals_of_passwords_take_the_same_work(counting):
    users = {"ann": hashed("secret"), "bob": hashed("secret", cost=6)}
    check = Passwords(users, counting)
    works = set()
    for user in ("ann", "bob", "nobody"):
        counting.work = 0
        check.let_in(basic(user, "wrong"), "192.0.2.1")
        works.add(counting.work)

    assert {2**6} == works


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def waits():
    """Return how long was waited, in seconds, wait by wait."""
    return []


@pytest.fixture
def guessed(clock, waits):
    """Return a check that makes no work, and in which everything but `secret` is wrong."""
    wanted = hashed("secret")
    return Passwords(
        {"ann": wanted},
        lambda password, _: wanted if password == b"secret" else "",
        clock,
        waits.append,
    )


def guess(check, address, times):
    return [check.let_in(basic("ann", f"wrong{at}"), address) for at in range(times)]


def test_an_address_may_be_wrong_ten_times_in_a_minute(guessed, clock):
    guess(guessed, "192.0.2.1", 10)

    with pytest.raises(TooMany):
        guessed.let_in(basic("ann", "secret"), "192.0.2.1")
    clock.now += 61
    assert guessed.let_in(basic("ann", "secret"), "192.0.2.1")


def test_who_is_wrong_keeps_no_other_out(guessed):
    guess(guessed, "192.0.2.1", 10)

    assert guessed.let_in(basic("ann", "secret"), "192.0.2.2")


def test_whoever_was_let_in_is_let_in_while_others_guess(guessed):
    guessed.let_in(basic("ann", "secret"), "192.0.2.9")
    for number in range(6):
        guess(guessed, f"192.0.2.{number}", 10)

    assert guessed.let_in(basic("ann", "secret"), "192.0.2.9")


def test_many_addresses_together_may_be_wrong_sixty_times_in_a_minute(guessed, waits):
    for number in range(60):
        guess(guessed, f"192.0.2.{number}", 1)

    with pytest.raises(TooMany):
        guessed.let_in(basic("ann", "secret"), "192.0.2.7")
    assert [] == waits


def test_many_who_are_wrong_delay_but_do_not_keep_out_who_was_not(guessed, waits):
    for number in range(60):
        guess(guessed, f"192.0.2.{number}", 1)

    assert (True, [1.0]) == (guessed.let_in(basic("ann", "secret"), "198.51.100.1"), waits)


@pytest.mark.parametrize("scope", ["", "%eth0"])
def test_64_bits_of_ipv6_are_one_address(guessed, waits, scope):
    for number in range(10):
        guess(guessed, f"2001:db8::{number:x}{scope}", 1)

    with pytest.raises(TooMany):
        guessed.let_in(basic("ann", "secret"), "2001:db8:0:0:ffff::1")
    assert guessed.let_in(basic("ann", "secret"), "2001:db8:0:1::1")
    assert [] == waits


def test_no_more_than_eight_wait_to_be_checked(clock):
    entered, go = threading.Event(), threading.Event()
    wanted = hashed("secret")

    def slowly(password, _):
        entered.set()
        go.wait(PATIENCE_SECONDS)
        return wanted

    check = Passwords({"ann": wanted}, slowly, clock)
    refused = threading.Semaphore(0)

    def ask(number):
        try:
            check.let_in(basic("ann", str(number)), "192.0.2.1")
        except TooMany:
            refused.release()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    assert refused.acquire(timeout=PATIENCE_SECONDS)
    go.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not refused.acquire(blocking=False)


def test_what_is_remembered_is_bounded(clock):
    users = {f"user{number}": hashed(str(number)) for number in range(120)}
    by_hash = {f"{number}".encode(): users[f"user{number}"] for number in range(120)}
    check = Passwords(users, lambda password, _: by_hash[password], clock)
    for number in range(120):
        check.let_in(basic(f"user{number}", str(number)), "192.0.2.1")

    assert len(check._right) <= 100
