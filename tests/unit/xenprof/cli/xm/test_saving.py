import os

import pytest

from tests.support.talk_host import NEW_TOOLS, FakeClient


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_save_sends_an_absolute_path_and_prints_nothing(xm, here):
    client = FakeClient()
    assert xm("save", "web", "a/../web.save", client=client) == (0, "", "")
    assert client.posts == [
        ("/api/v1/domains/web/save", {"path": str(here / "web.save"), "checkpoint": False})
    ]


def test_3_1_can_leave_a_saved_domain_running(xm, here):
    client = FakeClient(hosts=[NEW_TOOLS])
    xm("save", "-c", "web", "web.save", client=client)
    assert client.posts[0][1] == {"path": str(here / "web.save"), "checkpoint": True}


def test_the_checkpoint_option_is_an_argument_too_many_for_3_0_3(xm):
    _, _, error = xm("save", "-c", "web", "web.save")
    assert error == "Error: 'xm save' requires 2 arguments.\n"


@pytest.mark.parametrize("path", ["nosuch/web.save", "."])
def test_a_file_that_cannot_be_made_is_xms_own_error(xm, here, path):
    client = FakeClient()
    assert xm("save", "web", path, client=client) == (
        1,
        "",
        f"Error: xm save: Unable to create file {here / path}\n",
    )
    assert client.posts == []


def test_restore_sends_an_absolute_path(xm, here):
    (here / "web.save").write_bytes(b"")
    client = FakeClient()
    assert xm("restore", "web.save", client=client) == (0, "", "")
    assert client.posts == [("/api/v1/restore", {"path": str(here / "web.save"), "paused": False})]


def test_3_1_can_restore_a_domain_paused(xm, here):
    (here / "web.save").write_bytes(b"")
    client = FakeClient(hosts=[NEW_TOOLS])
    xm("restore", "web.save", "-p", client=client)
    assert client.posts[0][1] == {"path": str(here / "web.save"), "paused": True}


@pytest.mark.parametrize("path", ["nosuch", "."])
def test_a_file_that_cannot_be_read_is_xms_own_error(xm, here, path):
    assert xm("restore", path) == (
        1,
        "",
        f"Error: xm restore: Unable to read file {here / path}\n",
    )


@pytest.mark.parametrize("words", [["save", "web", "a\0b"], ["restore", "a\0b"]])
def test_a_path_that_no_file_can_have_is_refused(xm, words):
    _, _, error = xm(*words)
    assert error == "Error: Invalid argument.\n"


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["web"], {"path": None, "live": False, "crash": False}),
        (["-L", "web", "/tmp/core"], {"path": "/tmp/core", "live": True, "crash": False}),
        (["web", "--crash"], {"path": None, "live": False, "crash": True}),
    ],
)
def test_dump_core_sends_where_and_how(xm, words, body):
    client = FakeClient()
    xm("dump-core", *words, client=client)
    assert client.posts == [("/api/v1/domains/web/dump-core", body)]


def test_dump_core_tells_what_it_does(xm):
    _, out, _ = xm("dump-core", "-C", "web")
    assert out == "Dumping core of domain: web ...\nDestroying domain: web ...\n"


def test_a_current_directory_that_is_gone_is_xms_own_error(xm, here):
    (here / "gone").mkdir()
    os.chdir(here / "gone")
    (here / "gone").rmdir()
    _, _, error = xm("restore", "web.save")
    assert error == "Error: the current directory: No such file or directory\n"
