from unittest.mock import Mock

import pytest

from tests.support.talk_host import NEW_TOOLS, FakeClient
from xenprof.client import ServiceError, ServiceNotRunning

CLEAR: tuple[str, dict] = ("/api/v1/dmesg/clear", {})
RING = {"dmesg": {"text": "(XEN) a\n(XEN) b\n"}}


@pytest.mark.parametrize("option", ["-c", "--clear"])
def test_3_0_3_clears_the_ring_without_showing_it(xm, option):
    client = FakeClient()
    assert xm("dmesg", option, client=client) == (0, "", "")
    assert client.posts == [CLEAR]


def test_3_1_shows_the_ring_and_clears_it(xm):
    client = FakeClient(hosts=[NEW_TOOLS], **RING)
    assert xm("dmesg", "-c", client=client) == (0, "(XEN) a\n(XEN) b\n", "")
    assert client.posts == [CLEAR]


def test_dmesg_shows_the_ring(xm):
    client = FakeClient(**RING)
    assert xm("dmesg", client=client) == (0, "(XEN) a\n(XEN) b\n", "")
    assert client.posts == []


def test_dmesg_takes_no_argument(xm):
    _, _, error = xm("dmesg", "x")
    assert error == "Error: No parameter required\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "domains" / "Domain-0" / "var" / "log" / "xen" / "xend.log"
    path.parent.mkdir(parents=True)
    return path


def test_log_prints_the_whole_current_file(xm, tmp_path, log):
    log.write_bytes(b"one\ntwo\xff\n")
    log.with_name("xend.log.1").write_text("old\n")
    assert xm("log", client=FakeClient(tmp_path, **RING)) == (0, "one\ntwo\ufffd\n", "")


def test_a_log_without_an_entry_is_empty(xm, tmp_path):
    assert xm("log", client=FakeClient(tmp_path, **RING)) == (0, "\n", "")


def test_a_log_that_cannot_be_read_is_named(xm, tmp_path, log):
    log.mkdir()
    code, _, error = xm("log", client=FakeClient(tmp_path, **RING))
    assert (code, error) == (1, f"Error: xm log: {log}: Is a directory\n")


def test_the_log_of_a_service_that_has_ended_is_printed(xm, tmp_path, log):
    log.write_text("one\n")
    client = FakeClient(tmp_path, dmesg=ServiceNotRunning(tmp_path))

    assert xm("log", client=client) == (0, "one\n", "")


def test_the_log_of_an_earlier_model_is_not_that_of_a_watched_host(xm, tmp_path, log):
    log.write_text("one\n")
    refusal = "this host has no toolstack"
    client = FakeClient(tmp_path, dmesg=ServiceError(refusal))

    assert xm("log", client=client) == (1, "", f"Error: {refusal}\n")


def test_serve_says_what_there_is_instead(xm, tmp_path):
    code, out, error = xm("serve", client=FakeClient(tmp_path))
    assert (code, out) == (1, "")
    assert error == (
        "Error: xm serve: there is no XML-RPC here to pass on; "
        f"programs talk JSON over HTTP to {tmp_path}/control.sock\n"
    )


def test_the_console_of_a_domain_is_opened_by_its_name(xm, monkeypatch):
    connect = Mock(return_value=0)
    monkeypatch.setattr("xenprof.cli.xm.console.connect", connect)
    assert xm("console", "13") == (0, "", "")
    connect.assert_called_once_with("r5b2-mySQL01")


def test_3_1_can_be_quiet_about_a_domain_that_does_not_exist(xm):
    assert xm("console", "-q", "nosuch", hosts=[NEW_TOOLS]) == (1, "", "")


def test_3_1_says_that_a_managed_domain_does_not_run(xm):
    managed = {"domains": [{"name": "web", "memory_mib": 256, "vcpus": 2}]}
    _, _, error = xm("console", "web", hosts=[NEW_TOOLS], managed=managed)
    assert error == "Error: Domain 'web' is not started\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nosuch", "host2"], "Domain 'nosuch' does not exist."),
        (["0", "host2"], "Cannot migrate privileged domain Domain-0"),
        (["-p", "x", "13", "host2"], "Invalid argument."),
    ],
)
def test_what_cannot_be_migrated_anywhere_is_refused_first(xm, words, message):
    code, _, error = xm("migrate", *words)
    assert (code, error) == (1, f"Error: {message}\n")


def test_a_migration_finds_nobody_to_connect_to(xm):
    client = FakeClient()
    assert xm("migrate", "--live", "13", "host2", client=client) == (
        1,
        "",
        "Error: can't connect: no host 'host2' listens on port 8002; a service is one host: "
        "use xm save there and xm restore here\n",
    )
    assert client.posts == []


@pytest.mark.parametrize(("name", "domid"), [("ossvm02", "6"), ("6", "6")])
def test_domid_finds_a_domain_by_name_first(xm, name, domid):
    assert xm("domid", name) == (0, f"{domid}\n", "")


def test_domname_finds_a_name_by_the_id(xm):
    assert xm("domname", "13") == (0, "r5b2-mySQL01\n", "")


@pytest.mark.parametrize("words", [["vnet-list"], ["resources"], ["labels"]])
def test_what_this_host_does_not_have_needs_a_service_to_say_so(xm, monkeypatch, words, tmp_path):
    down = ServiceNotRunning(tmp_path)
    client = FakeClient()
    monkeypatch.setattr(client, "get", Mock(side_effect=down))
    _, _, error = xm(*words, client=client)
    assert error.startswith("Error: Unable to connect to xend: ")


def test_the_shell_runs_a_command_a_line_and_ends_with_its_input(xm, monkeypatch):
    lines = ["domid ossvm02", "", "xm domid 13", "nosuch", "domid 'x", EOFError]
    monkeypatch.setattr("builtins.input", Mock(side_effect=lines))
    code, out, error = xm("shell", hosts=[NEW_TOOLS])
    assert (code, out.splitlines()[1:], error) == (
        0,
        ["6", "13", "*** Unknown command: nosuch", ""],
        "Error: No closing quotation\n",
    )
