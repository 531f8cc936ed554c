"""The headers of a web config file are added to every response, whoever answers."""

import bcrypt
import pytest

from tests.support.service_fakes import ask_now
from xenprof.service.app import create_app, surrounded
from xenprof.service.counts import Counts
from xenprof.service.hostnames import AllowedHosts
from xenprof.service.webconfig import WebConfigFile

HEADERS = "http_server_config: {headers: {X-Frame-Options: deny}}\n"
HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
HOST = {"host": "localhost"}


@pytest.fixture
def asked(service, tmp_path):
    """Return the status of a request under a web config file, and whether it has the header."""

    def ask(more="", headers=HOST, times=1):
        file = tmp_path / "web.yml"
        file.write_text(HEADERS + more)
        config = WebConfigFile(file)
        app = create_app(service, read_only=True, web_config=config, allowed_hosts=AllowedHosts())
        whole = surrounded(app, Counts(), config)
        for _ in range(times):
            status, answer, _ = ask_now(whole, "GET", "/-/healthy", headers=headers)
        return status, answer.get("x-frame-options")

    return ask


def test_an_answer_has_them(asked):
    assert asked() == (200, "deny")


def test_the_refusal_of_a_name_has_them(asked):
    assert asked(headers={"host": "evil.example"}) == (403, "deny")


def test_the_refusal_of_one_request_too_many_has_them(asked):
    assert asked("rate_limit: {interval: 1h, burst: 1}", times=2) == (429, "deny")


def test_the_request_for_a_password_has_them(asked):
    assert asked(f"basic_auth_users: {{ann: {HASH}}}") == (401, "deny")


def test_the_answer_to_a_bug_has_them(service, tmp_path, monkeypatch):
    def breaks():
        raise ZeroDivisionError

    monkeypatch.setattr(service, "snapshot", breaks)
    file = tmp_path / "web.yml"
    file.write_text(HEADERS)
    config = WebConfigFile(file)
    app = create_app(service, read_only=True, web_config=config)
    seen = []

    async def note(scope, receive, send):
        async def send_and_note(message):
            seen.append(message)
            await send(message)

        await surrounded(app, Counts(), config)(scope, receive, send_and_note)

    with pytest.raises(ZeroDivisionError):  # which the server logs
        ask_now(note, "GET", "/api/v1/snapshot")
    assert (500, True) == (
        seen[0]["status"], (b"x-frame-options", b"deny") in seen[0]["headers"]
    )  # fmt: skip
