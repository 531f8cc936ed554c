import asyncio
import errno
import json
import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from hypervisor.errors import Refused
from tests.support.service_fakes import ask_now
from xenprof.errors import StoreFull
from xenprof.service.failures import Failures
from xenprof.service.hidden_home import HiddenHome


def answer(failures, error):
    """Return the status, type and message of an error that a route raises."""

    async def fail(request):
        raise error

    app = Starlette(routes=[Route("/", fail)], exception_handlers=failures.handlers)
    status, _, body = ask_now(app, "GET", "/")
    failure = json.loads(body)["error"]
    return status, failure["type"], failure["message"]


def bug(failures, error):
    """Return what is told of an error that nobody expects, which Starlette raises again."""
    response = asyncio.run(failures.handlers[Exception](Request({"type": "http"}), error))
    return json.loads(response.body)["error"]["message"]


def test_the_control_socket_is_told_the_whole_path(tmp_path):
    error = StoreFull("p", f"{tmp_path}/domains/a/x: No space left on device")

    assert answer(Failures(HiddenHome()), error) == (507, "StoreFull", str(error))


def test_over_tcp_paths_begin_with_home(tmp_path):
    error = Refused(f"{tmp_path}/domains/a/x: Permission denied ({tmp_path}/y)")

    assert answer(Failures(HiddenHome(tmp_path)), error) == (
        409, "Refused", "HOME/domains/a/x: Permission denied (HOME/y)"
    )  # fmt: skip


def test_over_tcp_a_home_behind_a_link_is_hidden_under_both_names(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    error = Refused(f"{tmp_path}/link/a and {tmp_path}/real/b")

    assert answer(Failures(HiddenHome(tmp_path / "link")), error)[2] == "HOME/a and HOME/b"


def test_paths_of_domains_are_told_to_everybody(tmp_path):
    error = Refused("cat: /proc/nothing: No such file or directory")

    assert answer(Failures(HiddenHome(tmp_path)), error)[2] == str(error)


def test_the_log_has_what_was_hidden(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="xenprof.service.hidden_home"):
        answer(Failures(HiddenHome(tmp_path)), Refused(f"{tmp_path}/a: Permission denied"))

    assert f"{tmp_path}/a: Permission denied" in caplog.text


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file", "/srv/images/a1b2"), KeyError(1)]
)
def test_over_tcp_a_bug_is_one_fixed_line(tmp_path, error):
    assert (
        bug(Failures(HiddenHome(tmp_path)), error) == "internal error, see the log of the service"
    )


def test_the_control_socket_is_told_of_a_bug_what_it_is():
    assert bug(Failures(HiddenHome()), KeyError(1)) == "a bug in xenprof, see its log: KeyError(1)"


def test_over_tcp_no_exit_code_is_told(tmp_path):
    app = Starlette(exception_handlers=Failures(HiddenHome(tmp_path)).handlers)
    _, _, body = ask_now(app, "GET", "/nothing")

    assert body == b'{"error":{"type":"HTTPException","message":"Not Found: GET /nothing"}}\n'


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EACCES, 400)]
)
def test_what_the_system_refuses_is_no_bug(number, status):
    error = OSError(number, "no", "/a/b")

    assert answer(Failures(HiddenHome()), error) == (status, "OSError", "/a/b: no")


def test_strangers_are_told_why_and_not_of_which_file(tmp_path):
    error = OSError(errno.EACCES, "no", "/a/b")

    assert answer(Failures(HiddenHome(tmp_path)), error) == (400, "OSError", "no")
