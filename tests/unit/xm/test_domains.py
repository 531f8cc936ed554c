import pytest

from tests.unit.xm.talk_host import FakeClient
from xenprof.cli.xm.command import XmError
from xenprof.cli.xm.domains import memory_mib
from xenprof.client import ServiceError

PATH = "/api/v1/domains/web"


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["destroy", "web"], f"{PATH}/destroy", None),
        (["pause", "web"], f"{PATH}/pause", None),
        (["unpause", "web"], f"{PATH}/unpause", None),
        (["vcpu-set", "web", "2"], f"{PATH}/set-vcpus", {"count": 2}),
        (["vcpu-set", "web", "-1"], f"{PATH}/set-vcpus", {"count": -1}),
        (["vcpu-pin", "web", "0", "1-3,^2"], f"{PATH}/pin-vcpu", {"vcpu": 0, "pcpus": [1, 3]}),
        (["vcpu-pin", "web", "all", "0"], f"{PATH}/pin-vcpu", {"vcpu": None, "pcpus": [0]}),
        (["mem-set", "web", "128"], f"{PATH}/set-memory", {"mib": 128}),
    ],
)
def test_a_command_sends_one_call_and_prints_nothing(xm, words, path, body):
    client = FakeClient()
    assert xm(*words, client=client) == (0, "", "")
    assert client.posts == [(path, body)]


@pytest.mark.parametrize(
    ("text", "mib"), [("128", 128), ("128m", 128), ("1G", 1024), ("2048k", 2), ("-5", -5)]
)
def test_memory_may_carry_a_unit(text, mib):
    assert memory_mib(text) == mib


@pytest.mark.parametrize("text", ["", "m", "1t", "x"])
def test_memory_that_is_no_number_is_an_invalid_argument(text):
    with pytest.raises(XmError, match=r"^Invalid argument\.$"):
        memory_mib(text)


def test_a_fault_is_xms_error_and_the_usage_follows(xm):
    refusal = ServiceError("Cannot pause privileged domain Domain-0", "Refused", 1, 409)
    code, out, error = xm("pause", "0", **{"domains/0/pause": refusal})
    assert (code, error) == (1, "Error: Cannot pause privileged domain Domain-0\n")
    assert out == "Usage: xm pause <Domain>\n\nPause execution of a domain.\n"


def test_a_fault_of_create_shows_no_usage(xm, tmp_path):
    (tmp_path / "guest").write_text("")
    refusal = ServiceError("No kernel specified", "HostError", 1, 400)
    code, out, error = xm("create", str(tmp_path / "guest"), domains=refusal)
    assert (code, out, error) == (
        1,
        f'Using config file "{tmp_path / "guest"}".\n',
        "Error: No kernel specified\n",
    )


def test_create_sends_the_files_text_and_the_words_of_the_command_line(xm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guest").write_text("memory = 64\n")
    client = FakeClient(tmp_path, domains={"domid": 5})
    assert xm("create", "-p", "guest", "memory=128", "disk=a", "disk=b", client=client) == (
        0,
        'Using config file "./guest".\nStarted domain DesktopVM\n',
        "",
    )
    assert client.posts == [
        (
            "/api/v1/domains",
            {
                "config_text": "memory = 64\n",
                "config_name": "./guest",
                "overrides": {"memory": ["128"], "disk": ["a", "b"]},
                "paused": True,
            },
        )
    ]


@pytest.mark.parametrize("name", ["guest", "/etc/xen/guest"])
def test_create_finds_a_file_in_domain_0s_own_etc_xen(xm, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "domains" / "Domain-0" / "etc" / "xen"
    folder.mkdir(parents=True)
    (folder / "guest").write_text("")
    client = FakeClient(tmp_path, domains={"domid": 5})
    _, out, _ = xm("create", name, client=client)
    assert out.startswith('Using config file "/etc/xen/guest".\n')


@pytest.mark.parametrize("name", ["nosuch", "/etc/xen/nosuch", "/", "x" * 5000])
def test_create_without_its_file_is_an_error(xm, tmp_path, name):
    code, out, error = xm("create", name, client=FakeClient(tmp_path))
    assert (code, out, error) == (1, "", f"Error: Unable to open config file: {name}\n")
