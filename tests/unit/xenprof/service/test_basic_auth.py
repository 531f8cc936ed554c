import asyncio
import threading

import bcrypt
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.service_fakes import ask, ask_now, basic
from xenprof.service.basic_auth import BasicAuth
from xenprof.service.http import MAY_CHANGE
from xenprof.service.webconfig import WebConfigFile

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
# Made by htpasswd -nbB, which has its own prefix.
APACHE_HASH = HASH.replace("$2b$", "$2y$")


def written(tmp_path, text):
    path = tmp_path / "web.yml"
    path.write_text(text)
    return path


def protected(path):
    def may_change(request):
        return PlainTextResponse(str(request.scope[MAY_CHANGE]))

    routes = [
        Route("/", lambda request: PlainTextResponse("hello")),
        Route("/may-change", may_change),
    ]
    return BasicAuth(Starlette(routes=routes), WebConfigFile(path))


@pytest.mark.parametrize("hashed", [HASH, APACHE_HASH], ids=["2b", "2y"])
def test_the_right_password_gets_in(tmp_path, hashed):
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {hashed}}}"))

    assert ask_now(app, "GET", "/", headers=basic("ann", "secret"))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("ann", "wrong"),
        basic("bob", "secret"),
        basic("ann", "secret" + "x" * 80),
        {"authorization": "Basic !!!"},
        {"authorization": "Bearer secret"},
    ],
)
def test_everybody_else_is_asked_for_a_password(tmp_path, headers):
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}"))

    status, answer, _ = ask_now(app, "GET", "/", headers=headers)

    assert (status, answer["www-authenticate"]) == (401, "Basic")


def test_a_changed_file_counts_from_the_next_request(tmp_path):
    path = written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}")
    app = protected(path)
    path.write_text(f"basic_auth_users: {{robert: {HASH}}}")

    assert ask_now(app, "GET", "/", headers=basic("ann", "secret"))[0] == 401


def test_a_file_broken_later_keeps_its_users(tmp_path):
    path = written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}")
    app = protected(path)
    path.write_text("nonsense: true, or not")

    statuses = [ask_now(app, "GET", "/", headers=h)[0] for h in (basic("ann", "secret"), {})]
    assert statuses == [200, 401]


def test_who_may_change_something_is_decided_when_they_ask(tmp_path):
    path = written(tmp_path, "")
    app = protected(path)
    before = ask_now(app, "GET", "/may-change", headers=basic("ann", "secret"))[2]
    path.write_text(f"basic_auth_users: {{ann: {HASH}}}")
    after = ask_now(app, "GET", "/may-change", headers=basic("ann", "secret"))[2]

    assert (before, after) == (b"False", b"True")


def crowd(app, size, addresses=("127.0.0.1",)):
    """Let `size` clients of each address guess at once; return the status and headers of each."""

    async def at(address, number):
        async def moved(scope, receive, send):
            await app({**scope, "client": (address, number)}, receive, send)

        return (await ask(moved, "GET", "/", headers=basic("ann", f"guess {number}")))[:2]

    async def together():
        return await asyncio.gather(*(at(a, n) for n in range(size) for a in addresses))

    return asyncio.run(together())


def test_an_address_has_eight_passwords_checked_at_a_time_and_is_told_to_come_again(tmp_path):
    answers = crowd(protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}")), 12)

    assert [status for status, _ in answers] == [401] * 8 + [429] * 4
    assert {headers["retry-after"] for status, headers in answers if status == 429} == {"5"}


def test_one_address_does_not_use_up_what_another_has(tmp_path):
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}"))

    assert {status for status, _ in crowd(app, 8, ("10.0.0.1", "10.0.0.2"))} == {401}


def test_all_addresses_together_have_64_passwords_checked_at_a_time(tmp_path):
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}"))
    statuses = [status for status, _ in crowd(app, 8, [f"10.0.0.{n}" for n in range(10)])]

    assert (statuses.count(401), statuses.count(429)) == (64, 16)


def test_a_flood_from_one_network_keeps_nobody_of_another_out(tmp_path):
    """Of 65 who come at once, the last is of a network of its own."""
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}"))
    flood = [f"10.0.{n}.1" for n in range(80)]

    answers = crowd(app, 1, [*flood, "192.0.2.1"])
    assert (401, 16 + 1) == (answers[-1][0], [status for status, _ in answers].count(429))


def test_an_address_that_waited_is_heard_again(tmp_path):
    path = written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}")

    async def twice():
        app = protected(path)
        wrong = (ask(app, "GET", "/", headers=basic("ann", "guess")) for _ in range(12))
        await asyncio.gather(*wrong)
        return (await ask(app, "GET", "/", headers=basic("ann", "secret")))[0]

    assert asyncio.run(twice()) == 200


def test_a_remembered_password_does_not_wait_for_a_wrong_one(tmp_path, monkeypatch):
    app = protected(written(tmp_path, f"basic_auth_users: {{ann: {HASH}}}"))
    checking, may_end = threading.Event(), threading.Event()

    def endless(secret, hashed):
        checking.set()
        return may_end.wait(30) and False

    async def both():
        await ask(app, "GET", "/", headers=basic("ann", "secret"))
        monkeypatch.setattr(bcrypt, "checkpw", endless)
        wrong = asyncio.create_task(ask(app, "GET", "/", headers=basic("ann", "guess")))
        await asyncio.to_thread(checking.wait, 30)
        status = (await ask(app, "GET", "/", headers=basic("ann", "secret")))[0]
        waits = not wrong.done()
        may_end.set()
        await wrong
        return status, waits

    assert asyncio.run(both()) == (200, True)
