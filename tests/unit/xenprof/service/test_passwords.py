import bcrypt
import pytest

from xenprof.service.passwords import PasswordCheck

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
USERS = {
    "ann": HASH,
    "bob": bcrypt.hashpw(b"secret", bcrypt.gensalt(5)).decode(),
    "eve": bcrypt.hashpw(b"secret", bcrypt.gensalt(7)).decode(),
}


@pytest.fixture
def counted(monkeypatch):
    """Count the calls of bcrypt."""
    calls = []
    real = bcrypt.checkpw

    def counting(*arguments):
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    return calls


def test_a_right_password_costs_bcrypt_once(counted):
    check = PasswordCheck()

    assert [check.is_right({"ann": HASH}, "ann", "secret") for _ in range(3)] == [True] * 3
    assert len(counted) == 1


@pytest.mark.parametrize("user", ["ann", "nobody"])
def test_a_wrong_password_costs_bcrypt_each_time_whether_or_not_the_user_exists(counted, user):
    check = PasswordCheck()
    for _ in range(3):
        check.is_right({"ann": HASH}, user, "guess")

    assert len(counted) == 3


@pytest.mark.parametrize("password", ["guess", "secret"])
@pytest.mark.parametrize("user", ["ann", "bob", "eve", "nobody"])
def test_every_check_is_as_much_work_as_the_highest_cost(counted, user, password):
    PasswordCheck().is_right(USERS, user, password)

    assert sum(2 ** int(hashed[4:6]) for _, hashed in counted) == 2**7


@pytest.mark.parametrize("user", ["ann", "bob", "eve"])
def test_users_of_any_cost_get_in(user):
    assert PasswordCheck().is_right(USERS, user, "secret")


def test_a_remembered_password_is_forgotten_with_its_hash():
    check = PasswordCheck()
    check.is_right({"ann": HASH}, "ann", "secret")

    remembered = [check.is_remembered(u, "ann", "secret") for u in ({"ann": HASH}, {}, USERS)]
    assert remembered == [True, False, True]
