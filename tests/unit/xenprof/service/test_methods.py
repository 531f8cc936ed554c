"""What every page answers: whatever is accepted, to HEAD, and to other methods."""

import json

import pytest

from tests.support.service_fakes import ask_now

READ = (
    "/", "/-/healthy", "/-/ready", "/metrics", "/api/v1/snapshot", "/api/v1/info", "/api/v1/dmesg",
    "/api/v1/xenstore", "/api/v1/managed", "/api/v1/trace", "/api/v1/history",
)  # fmt: skip
ACCEPTED = (
    "", "*/*", "text/html;q=0", 'application/openmetrics-text; version="1.0.0"',
    "text/plain;version=x", "application/json;q=nan, */*;q=0.1", '"', ";;;,,,", "a/b;c=\"d",
)  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_whatever_is_accepted_every_page_answers(app, path):
    headers = [{"accept": text, "accept-encoding": text} for text in ACCEPTED]

    assert {200} == {ask_now(app, "GET", path, headers=one)[0] for one in headers} - {501}


@pytest.mark.parametrize("path", READ)
def test_what_can_be_read_can_be_asked_for_its_head(app, path):
    status, headers, _ = ask_now(app, "GET", path)
    asked = ask_now(app, "HEAD", path)

    assert (status, headers["content-type"]) == (asked[0], asked[1]["content-type"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *(("POST", path, "GET, HEAD") for path in READ if path != "/api/v1/managed"),
        ("PUT", "/api/v1/managed", "GET, HEAD, POST"),
        ("POST", "/api/v1/domains/0/console", "GET, HEAD"),
        ("POST", "/api/v1/domains/0/proc/cpuinfo", "GET, HEAD"),
        ("PUT", "/api/v1/domains/0/pause", "GET, HEAD, POST"),
        ("HEAD", "/api/v1/domains/0/opcontrol/start", "POST"),
        ("DELETE", "/metrics", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("HEAD", "/api/v1/wait", "POST"),
        ("GET", "/api/v1/domains", "POST"),
        ("GET", "/api/v1/domains/0/pause", "POST"),
    ],
)
def test_another_method_is_told_which_ones_there_are(app, method, path, allowed):
    status, headers, body = ask_now(app, method, path)

    assert (405, allowed) == (status, headers["allow"])
    assert "Method Not Allowed" in json.loads(body)["error"]["message"]
