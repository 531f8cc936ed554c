import json

import pytest

from tests.support.fake_host import host_without
from tests.support.service_fakes import ask_now
from xenprof.home import DOMAIN_0, domain_root
from xenprof.service.app import create_app
from xenprof.service.arguments import BadArguments
from xenprof.service.callers_files import CallersFiles
from xenprof.service.commands import Command
from xenprof.service.exporter import ExporterSettings
from xenprof.service.hidden_home import HiddenHome
from xenprof.service.http import MAY_CHANGE
from xenprof.service.service import Service
from xenprof.wire.answers import Done, Dumped
from xenprof.wire.opcontrol import Outcome, Status

ATTEMPTS = (
    "../../../../etc/x",
    "/etc/x",
    "a/../../../../etc/x",
    "//etc/x",
    "/proc/self/root/etc/x",
)


@pytest.fixture
def host():
    return host_without()


@pytest.fixture
def known(host, tmp_path):
    """Return what TCP talks to, as it answers somebody who may change something."""
    service = Service(host, tmp_path, loaders={}, settings=ExporterSettings())
    service.start()
    app = create_app(service, read_only=True)

    async def known(scope, receive, send):
        await app({**scope, MAY_CHANGE: True}, receive, send)

    yield known
    service.close()


def post(app, path, body):
    status, _, content = ask_now(app, "POST", f"/api/v1/{path}", body)
    return status, json.loads(content)


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("route", ["domains/ossvm02/save", "domains/ossvm02/dump-core", "restore"])
def test_whatever_names_a_file_over_tcp_stays_in_domain_0(known, host, tmp_path, route, attempt):
    post(known, route, {"path": attempt})

    root = domain_root(tmp_path, DOMAIN_0)
    (call,) = host.toolstack.calls
    named = next(word for word in call if str(word).startswith("/"))
    assert str(named).startswith(f"{root}/")
    assert ".." not in str(named)


@pytest.mark.parametrize("route", ["domains/ossvm02/save", "domains/ossvm02/dump-core", "restore"])
def test_a_link_in_domain_0_is_not_followed_over_tcp(known, host, tmp_path, route):
    (domain_root(tmp_path, DOMAIN_0) / "out").symlink_to(tmp_path)

    status, answer = post(known, route, {"path": "/out/x"})

    assert status == 400
    assert "symbolic link" in answer["error"]["message"]
    assert host.toolstack.calls == []


def test_a_path_on_the_control_socket_is_the_callers():
    asked = Command("save", "a", {"path": "/root/a.save"})

    assert CallersFiles().placed(asked) == asked


def test_a_relative_path_on_the_control_socket_is_refused_as_nobody_knows_the_callers_folder():
    with pytest.raises(BadArguments, match="starts with a slash"):
        CallersFiles().placed(Command("save", "a", {"path": "a.save"}))


def test_missing_folders_of_domain_0_are_made(tmp_path):
    CallersFiles(tmp_path).placed(Command("save", "a", {"path": "/var/lib/xen/save/a"}))

    assert (tmp_path / "var/lib/xen/save").is_dir()


@pytest.mark.parametrize("path", [None, 5, "", ["x"]])
def test_what_names_no_file_is_left_to_those_who_check_it(tmp_path, path):
    asked = Command("save", "a", {"path": path})

    assert CallersFiles(tmp_path).placed(asked) == asked


def test_a_file_over_a_folders_place_is_refused(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(BadArguments, match="Not a directory"):
        CallersFiles(tmp_path).placed(Command("save", "a", {"path": "/file/a"}))


def test_a_core_file_is_told_as_its_caller_knows_it(tmp_path):
    answer = Dumped(str(tmp_path / "var/xen/dump/core"))

    assert CallersFiles(tmp_path).told(answer) == Dumped("/var/xen/dump/core")


def test_other_answers_are_told_as_they_are(tmp_path):
    assert CallersFiles(tmp_path).told(Done()) == Done()


@pytest.mark.parametrize("path", ["/", ".", "//", "/..", "a/..", "/etc", "/etc/"])
@pytest.mark.parametrize("route", ["domains/ossvm02/save", "domains/ossvm02/dump-core", "restore"])
def test_a_folder_is_no_file_over_tcp(known, host, tmp_path, route, path):
    (domain_root(tmp_path, DOMAIN_0) / "etc").mkdir(exist_ok=True)

    status, answer = post(known, route, {"path": path})

    assert (status, answer["error"]["message"]) == (
        400, f"{path!r} cannot be used: Is a directory"
    )  # fmt: skip
    assert host.toolstack.calls == []


def test_no_folders_are_made_for_a_file_that_is_only_read(tmp_path):
    CallersFiles(tmp_path).placed(Command("restore", None, {"path": "/nofolder/a/b"}))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [Outcome, Status])
def test_over_tcp_outcomes_do_not_tell_where_home_is(tmp_path, kind):
    answer = kind((f"see {tmp_path}/a",), (f"{tmp_path}/domains/a/x: Not a directory",), 1)

    assert CallersFiles(tmp_path, HiddenHome(tmp_path)).told(answer) == kind(
        ("see HOME/a",), ("HOME/domains/a/x: Not a directory",), 1
    )


def test_on_the_control_socket_outcomes_tell_the_whole_path(tmp_path):
    answer = Outcome((), (f"{tmp_path}/domains/a/x: Not a directory",), 1)

    assert CallersFiles().told(answer) == answer
