"""Bodies that are no JSON, or no JSON for us; and how failures are told."""

import json

import pytest

from tests.support.fake_host import host_without
from tests.support.service_fakes import ask_now
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service


@pytest.fixture
def app(tmp_path):
    service = Service(host_without(), tmp_path, loaders={}, settings=ExporterSettings())
    service.start()
    yield create_app(service, read_only=False)
    service.close()


def post(app, path, body):
    status, _, content = ask_now(app, "POST", path, body)
    return status, json.loads(content)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[" * 100_000, "the body must be a JSON object"),
        (b'{"a":' * 100_000, "the body must be a JSON object"),
        (b'{"seconds": ' + b"9" * 5000 + b"}", "the body must be a JSON object"),
        (b'{"seconds": NaN}', "the body must be JSON, which has no NaN"),
        (b'{"seconds": -Infinity}', "the body must be JSON, which has no -Infinity"),
        (b'{"seconds": 1e400}', "the body must be JSON with finite numbers, not 1e400"),
        (b'{"seconds": -1}', "wait: 'seconds' must be a number from 0 to 9e+09, not -1.0"),
        (b'{"seconds": 1e308}', "wait: 'seconds' must be a number from 0 to 9e+09, not 1e+308"),
        (b'{"seconds": "1"}', "wait: 'seconds' must be a number, not '1'"),
    ],
)
def test_a_wait_for_what_is_no_duration_is_400_in_one_line(app, body, message):
    status, answer = post(app, "/api/v1/wait", body)

    assert (status, answer["error"]["message"]) == (400, message)


def test_half_a_surrogate_pair_comes_back_as_it_was_sent(app):
    status, answer = post(app, "/api/v1/domains/0/sysrq", {"k\ud800": 1})

    assert (status, "k\\ud800" in answer["error"]["message"]) == (400, True)


@pytest.mark.parametrize("number", ["9" * 5000, "x", "-1", "%D9%A3"])
def test_a_trace_reader_has_a_number(app, number):
    status, answer = post(app, f"/api/v1/trace/{number}/read", {})

    assert (status, answer["error"]["type"]) == (400, "BadArguments")


def test_a_failure_is_a_line_with_an_exit_code_for_programs(app):
    _, _, body = ask_now(app, "GET", "/api/v1/nothing")

    assert body == (
        b'{"error":{"type":"HTTPException","message":"Not Found: GET /api/v1/nothing",'
        b'"exit_code":1}}\n'
    )


def test_a_body_that_is_not_declared_as_json_is_refused(app):
    headers = {"content-type": "text/plain"}
    status, _, _ = ask_now(app, "POST", "/api/v1/domains/ossvm02/pause", {}, headers=headers)

    assert status == 415
