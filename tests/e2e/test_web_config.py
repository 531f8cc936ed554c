"""Rewrites the web configuration of a running service in place, as an editor or a script does."""

import pytest

from tests.support.e2e.served import PASSWORD, Served, configuration, rewritten_in_place
from tests.support.service_fakes import basic

REWRITES = 100
USERS = configuration()
PAUSE = "/api/v1/domains/ossvm02/pause"


@pytest.fixture
def served(tmp_path):
    service = Served(tmp_path, USERS)
    yield service
    service.close()


def test_rewriting_in_place_lets_nobody_in_and_keeps_nobody_out(served):
    strangers, known = set(), set()
    for _ in range(REWRITES):
        for _ in rewritten_in_place(served.file):
            strangers.add(served.status("GET", "/api/v1/domains"))
            known.add(served.status("GET", "/-/healthy", basic("ann", PASSWORD)))

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

    assert [served.status("POST", PAUSE), served.status("POST", PAUSE, basic("ann", PASSWORD))] == [
        401,
        200,
    ]


def test_without_users_everybody_reads_and_nobody_changes_until_there_are_some(tmp_path):
    served = Served(tmp_path, "http_server_config: {}\n")
    before = [served.status("GET", "/"), served.status("POST", PAUSE, basic("ann", PASSWORD))]
    served.file.write_text(USERS)
    after = [served.status("GET", "/"), served.status("POST", PAUSE, basic("ann", PASSWORD))]
    served.close()

    assert (before, after) == ([200, 403], [401, 200])
