import pytest

from hypervisor.live.agent.web.gate import at_rate, by_host, by_password, let_all_in
from hypervisor.live.agent.web.httphead import Request
from hypervisor.live.agent.web.turns import TooMany


def status(gate, **headers):
    refusal = gate(Request("GET", "/", headers, True), "192.0.2.1")
    return None if refusal is None else refusal.status


class Passwords:
    def let_in(self, authorization, address):
        assert "192.0.2.1" == address
        if authorization == "many":
            raise TooMany
        return authorization == "right"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"authorization": "right"}, None),
        ({"authorization": "wrong"}, 401),
        ({}, 401),
        ({"authorization": "many"}, 429),
    ],
)
def test_who_shows_a_right_password_is_let_in(headers, refused):
    assert refused == status(by_password(Passwords()), **headers)


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1:10032", None),
        ("127.0.0.1", None),
        ("[::1]:10032", None),
        ("localhost:10032", None),
        ("LocalHost", None),
        ("xen1:10032", None),
        ("", None),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("[evil]", 403),
        ("a b", 403),
        ("127.0.0.1:99999999", 403),
    ],
)
def test_a_page_of_somebody_else_cannot_ask_under_a_name_of_its_own(host, refused):
    assert refused == status(by_host(frozenset(["xen1"])), host=host)


def test_a_request_of_old_names_no_host():
    assert None is status(by_host(frozenset()))


def test_at_a_private_socket_all_are_let_in():
    assert None is status(let_all_in, host="evil.example")


def test_so_many_requests_are_answered_as_may_come_at_once():
    gate = at_rate(3600.0, 2, let_all_in)

    assert [None, None, 429] == [status(gate) for _ in range(3)]


def test_after_the_interval_another_one_is_answered():
    gate = at_rate(1e-9, 1, let_all_in)

    assert [None, None] == [status(gate) for _ in range(2)]
