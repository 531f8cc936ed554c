"""Bodies of all lengths, sent by a client that sends everything before it reads."""

import http.client

import pytest

from tests.support.e2e.served import PASSWORD, Served, configuration
from tests.support.service_fakes import basic

PAUSE = "/api/v1/domains/ossvm02/pause"
MIB = 1 << 20
JSON = {"Content-Type": "application/json", **basic("ann", PASSWORD)}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    service = Served(tmp_path_factory.mktemp("bodies"), configuration())
    yield service
    service.close()


def status(served, body, headers=JSON):
    client = http.client.HTTPConnection(served.address, timeout=30)
    client.request("POST", PAUSE, body=body, headers=headers)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.status


def spaces(total):
    """Yield a JSON object of so many bytes, which is sent in chunks."""
    yield b"{}"
    for _ in range(2, total, 1 << 16):
        yield b" " * min(1 << 16, total - 2)


def test_a_body_of_a_mebibyte_is_read(served):
    assert status(served, b"{}".ljust(MIB)) == 200


@pytest.mark.parametrize("body", [b"{}".ljust(2 * MIB), b"{}".ljust(8 * MIB)])
def test_a_larger_one_is_413(served, body):
    assert status(served, body) == 413


def test_a_larger_one_in_chunks_is_413(served):
    assert status(served, spaces(2 * MIB)) == 413


def test_a_length_that_is_too_short_is_no_way_around(served):
    assert status(served, b"{}".ljust(2 * MIB), {**JSON, "Content-Length": "5"}) in (200, 400)


def test_the_next_request_is_answered_as_ever(served):
    status(served, b"{}".ljust(2 * MIB))

    assert status(served, b"{}") == 200
