import bcrypt
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.service_fakes import ask_now, basic
from xenprof.service.basic_auth import BasicAuth, PasswordCheck
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


def test_headers_are_added_to_refusals_too(tmp_path):
    text = "http_server_config: {headers: {X-Frame-Options: deny}}\n"
    app = protected(written(tmp_path, text + f"basic_auth_users: {{ann: {HASH}}}"))

    assert ask_now(app, "GET", "/")[1]["x-frame-options"] == "deny"


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
