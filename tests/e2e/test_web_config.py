"""Rewrites the web configuration of a running service in place, as an editor or a script does."""

import http.client
import subprocess
import sys
from urllib.parse import urlsplit

import bcrypt
import pytest

from tests.support.paths import ROOT
from tests.support.service_fakes import basic

PROGRAM = "tests.support.e2e.fake_service"
REWRITES = 100
HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
USERS = f"http_server_config: {{}}\nbasic_auth_users:\n  ann: {HASH}\n"
PAUSE = "/api/v1/domains/ossvm02/pause"


class Served:
    """A service with a web configuration, and a client of its TCP address."""

    def __init__(self, folder, config=USERS):
        self.file = folder / "web.yml"
        self.file.write_text(config)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, folder, "127.0.0.1:0", self.file],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().strip()).netloc

    def status(self, method, path, headers=None):
        client = http.client.HTTPConnection(self.address, timeout=30)
        given = {"Content-Type": "application/json", **(headers or {})}
        client.request(method, path, body="{}" if method == "POST" else None, headers=given)
        status = client.getresponse().status
        client.close()
        return status

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def served(tmp_path):
    service = Served(tmp_path)
    yield service
    service.close()


def rewritten_in_place(path):
    """Write the file again in three steps, and stop after each of them."""
    with path.open("w") as file:
        yield
        file.write(USERS[:26])  # the first key alone, which is a valid file
        file.flush()
        yield
        file.write(USERS[26:])
    yield


def test_rewriting_in_place_lets_nobody_in_and_keeps_nobody_out(served):
    strangers, known = set(), set()
    for _ in range(REWRITES):
        for _ in rewritten_in_place(served.file):
            strangers.add(served.status("GET", "/api/v1/domains"))
            known.add(served.status("GET", "/-/healthy", basic("ann", "secret")))

    assert (strangers, known) == ({401}, {200})


def test_a_truncated_file_lets_no_stranger_change_anything(served):
    served.file.write_text("")

    assert served.status("POST", PAUSE) == 401


def test_a_truncated_file_is_logged_once_however_many_ask(served):
    served.file.write_text("")
    for _ in range(20):
        served.status("GET", "/")

    assert served.log.read_text().count("web.yml") == 1


def test_users_taken_out_of_the_file_still_guard_every_change(served):
    served.file.write_text("http_server_config: {}\n")

    assert [served.status("POST", PAUSE), served.status("POST", PAUSE, basic("ann", "secret"))] == [
        401,
        200,
    ]


def test_without_users_everybody_reads_and_nobody_changes_until_there_are_some(tmp_path):
    served = Served(tmp_path, "http_server_config: {}\n")
    before = [served.status("GET", "/"), served.status("POST", PAUSE, basic("ann", "secret"))]
    served.file.write_text(USERS)
    after = [served.status("GET", "/"), served.status("POST", PAUSE, basic("ann", "secret"))]
    served.close()

    assert (before, after) == ([200, 403], [401, 200])
