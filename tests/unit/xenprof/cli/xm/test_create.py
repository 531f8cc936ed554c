from unittest.mock import Mock

import pytest

from tests.support.talk_host import NEW_TOOLS, FakeClient
from xenprof.client import ServiceError

CREATED = {"domid": 7, "name": "web"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return the caller's folder, with a configuration file `guest`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guest").write_text("memory = 64\n")
    return tmp_path


@pytest.fixture
def etc_xen(here):
    """Return domain 0's /etc/xen."""
    folder = here / "domains" / "Domain-0" / "etc" / "xen"
    folder.mkdir(parents=True)
    return folder


def sent(client) -> dict:
    body: dict
    ((_, body),) = client.posts
    return body


def test_create_says_which_file_it_takes_and_what_it_started(xm, here):
    assert xm("create", "guest", client=FakeClient(here, domains=CREATED)) == (
        0,
        'Using config file "./guest".\nStarted domain web\n',
        "",
    )


def test_create_sends_the_files_text_and_the_words_of_the_command_line(xm, here):
    client = FakeClient(here, domains=CREATED)
    xm("create", "-p", "guest", "memory=128", "disk=a", " disk = b=c ", client=client)
    assert client.posts == [
        (
            "/api/v1/domains",
            {
                "config_text": "memory = 64\n",
                "config_name": "./guest",
                "overrides": {"memory": ["128"], "disk": ["a", "b=c"]},
                "is_sxp": False,
                "paused": True,
            },
        )
    ]


def test_a_quiet_create_prints_nothing(xm, here):
    assert xm("create", "-q", "guest", client=FakeClient(here, domains=CREATED)) == (0, "", "")


def test_a_fault_of_create_shows_no_usage(xm, here):
    refusal = ServiceError("No kernel specified", "HostError", 1, 400)
    assert xm("create", "guest", client=FakeClient(here, domains=refusal)) == (
        1,
        'Using config file "./guest".\n',
        "Error: No kernel specified\n",
    )


def test_a_dry_run_prints_the_configuration_and_creates_nothing(xm, here):
    client = FakeClient(here, config={"sxp": ["vm", ["name", "web"]]})
    _, out, _ = xm("create", "-n", "guest", client=client)
    assert (out.splitlines()[1:], [path for path, _ in client.posts]) == (
        ["(vm (name web))"],
        ["/api/v1/config"],
    )


def test_an_sxp_file_is_sent_as_such_and_not_announced(xm, here):
    (here / "web.sxp").write_text("(vm)")
    client = FakeClient(here, domains=CREATED)
    _, out, _ = xm("create", "-F", "web.sxp", client=client)
    assert (out, sent(client)["is_sxp"]) == ("Started domain web\n", True)


def test_create_with_a_console_opens_it_once_the_domain_has_started(xm, here, monkeypatch):
    connect = Mock(return_value=3)
    monkeypatch.setattr("xenprof.cli.xm.create.connect", connect)
    code, _, _ = xm("create", "-c", "guest", client=FakeClient(here, domains=CREATED))
    connect.assert_called_once_with("web")
    assert code == 3


@pytest.mark.parametrize("name", ["other", "/etc/xen/other"])
def test_create_finds_a_file_in_domain_0s_own_etc_xen(xm, here, etc_xen, name):
    (etc_xen / "other").write_text("")
    _, out, _ = xm("create", name, client=FakeClient(here, domains=CREATED))
    assert out.startswith('Using config file "/etc/xen/other".\n')


def test_the_callers_own_file_comes_before_etc_xen(xm, here, etc_xen):
    (etc_xen / "guest").write_text("memory = 1\n")
    client = FakeClient(here, domains=CREATED)
    xm("create", "guest", client=client)
    assert sent(client)["config_text"] == "memory = 64\n"


def test_a_search_path_replaces_etc_xen(xm, here, etc_xen):
    (here / "a" / "b").mkdir(parents=True)
    (here / "a" / "b" / "other").write_text("")
    (etc_xen / "other").write_text("")
    _, out, _ = xm("create", "--path=x:a/b", "other", client=FakeClient(here, domains=CREATED))
    assert out.startswith('Using config file "./a/b/other".\n')


def test_create_without_a_file_takes_xmdefconfig(xm, here):
    (here / "xmdefconfig").write_text("")
    _, out, _ = xm("create", "vcpus=2", client=FakeClient(here, domains=CREATED))
    assert out.startswith('Using config file "./xmdefconfig".\n')


@pytest.mark.parametrize("name", ["nosuch", "/etc/xen/nosuch", "/", "x" * 5000, "a\0b", "/a\0b"])
def test_create_without_its_file_is_an_error(xm, here, name):
    code, out, error = xm("create", name, client=FakeClient(here))
    shown = name.replace("\0", "\\x00")
    assert (code, out, error) == (1, "", f"Error: Unable to open config file: {shown}\n")


def test_a_file_too_long_for_a_configuration_is_refused(xm, here):
    (here / "big").write_bytes(b"#" * (256 * 1024 + 1))
    code, out, error = xm("create", "big", client=FakeClient(here))
    assert (code, out, error) == (
        1,
        "",
        "Error: ./big is no configuration: it is longer than 256 KiB\n",
    )


def test_two_configuration_files_are_one_too_many(xm, here):
    code, _, error = xm("create", "guest", "-f", "other", client=FakeClient(here))
    assert (code, error) == (1, "Error: one configuration file, please, not other and guest\n")


def test_a_setting_needs_a_name(xm, here):
    _, _, error = xm("create", "guest", "=5", client=FakeClient(here))
    assert error == "Error: Invalid argument: =5\n"


def test_help_config_lists_what_a_file_may_set(xm):
    code, out, _ = xm("create", "--help_config")
    assert (code, out.startswith("\nValues:\n\n")) == (0, True)


def test_new_hands_the_configuration_to_xend_to_keep(xm, here):
    client = FakeClient(here, hosts=[NEW_TOOLS])
    assert xm("new", "guest", client=client) == (0, 'Using config file "./guest".\n', "")
    assert [path for path, _ in client.posts] == ["/api/v1/managed"]
