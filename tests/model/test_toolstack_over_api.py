"""The toolstack as a client sees it: the service with the model behind it, over its API."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.model.hosts import burst, domain, make_host
from tests.support.service_fakes import ask_now
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service

CONFIG = "kernel = '/boot/vmlinuz'\nmemory = 64\nvif = ['']\ndisk = ['phy:sda5,xvda,w']\n"


class Client:
    def __init__(self, home: Path) -> None:
        self.home = home
        host = make_host(domain("a", burst(1, 9)))
        settings = ExporterSettings()
        self.service = Service(
            host, home, speed=None, enable_dump=True, loaders={}, settings=settings
        )
        self.app = create_app(self.service, read_only=False)

    def get(self, path: str) -> Any:
        status, _, body = ask_now(self.app, "GET", f"/api/v1/{path}")
        assert status == 200
        return json.loads(body)

    def post(self, path: str, /, **body: Any) -> Any:
        status, _, content = ask_now(self.app, "POST", f"/api/v1/{path}", body)
        answer = json.loads(content)
        return answer if status == 200 else (status, answer["error"]["message"])

    def names(self) -> list[str]:
        return [one["name"] for one in self.get("snapshot")["domains"]]

    @property
    def domain0(self) -> Path:
        return self.home / "domains/Domain-0"


@pytest.fixture
def client(tmp_path):
    client = Client(tmp_path)
    client.service.start()
    yield client
    client.service.close()


def test_create_answers_when_the_guest_runs_with_its_devices(client):
    answer = client.post("domains", config_text=CONFIG, config_name="web")

    assert answer == {"domid": 2, "name": "web"}
    assert client.names() == ["Domain-0", "a", "web"]
    client.post("wait", seconds=1)
    rows = [client.get(f"domains/web/devices/{kind}")["devices"][0] for kind in ("vif", "vbd")]
    assert [row["state"] for row in rows] == [4, 4]


def test_what_is_refused_after_a_while_has_the_reason(client):
    config = CONFIG.replace("sda5", "nothing")

    assert client.post("domains", config_text=config, config_name="web") == (
        409,
        "Device 51712 (vbd) could not be connected. Backend device not found. /dev/nothing is none "
        "of Domain-0's: sda to sdp and hda to hdd, volumes of groups, /dev/a",
    )
    assert client.names() == ["Domain-0", "a"]


def test_a_guest_goes_into_a_file_and_comes_back(client, tmp_path):
    path = str(tmp_path / "a.save")

    assert client.post("domains/a/save", path=path) == {}
    assert client.names() == ["Domain-0"]
    assert client.post("restore", path=path) == {"domid": 2, "name": "a"}


def test_a_core_without_a_name_lies_in_domain_0(client):
    answer = client.post("domains/a/dump-core", path=None, live=False)

    assert Path(answer["path"]).parent == client.domain0 / "var/xen/dump"
    assert Path(answer["path"]).exists()


def test_a_crash_leaves_a_core(client):
    client.post("domains/a/sysrq", key="c")
    client.post("wait", seconds=3)

    assert len(list((client.domain0 / "var/xen/dump").glob("*.core"))) == 1
    assert client.names() == ["Domain-0", "a"]


def test_what_happens_is_in_xend_log(client):
    client.post("domains", config_text=CONFIG, config_name="web")
    client.post("domains/web/destroy")
    text = (client.domain0 / "var/log/xen/xend.log").read_text()

    assert "INFO (XendDomain:370) Domain web (2) unpaused." in text
    assert "DEBUG (XendDomainInfo:1463) XendDomainInfo.destroy: domid=2" in text


def test_the_store_holds_every_domain(client):
    entries = dict(client.get("xenstore")["entries"])

    assert entries["/local/domain/1/name"] == "a"
    assert entries[entries["/local/domain/1/vm"] + "/name"] == "a"


def test_a_guest_may_be_called_by_a_name_with_a_slash(client):
    client.post("domains", config_text=CONFIG + "name = 'x/y'\n", config_name="web")

    assert client.post("domains/x%2Fy/pause") == {}
    assert client.get("domains/x%2Fy/sxp")["sxp"][0] == "domain"


def test_a_renamed_guest_has_its_root_under_its_new_name(client):
    assert client.post("domains/a/rename", name="shop") == {}
    assert client.names() == ["Domain-0", "shop"]
    assert (client.home / "domains/shop").is_dir()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("domains/a/shutdown", {"reason": "burn"}),
        ("domains/a/sysrq", {"key": "xx"}),
        ("domains/a/attach-block", {"backend": "phy:sda5", "frontend": "xvda", "mode": "w"}),
        ("domains/a/detach-block", {"device": "xvdq"}),
        ("domains/a/attach-network", {"options": "x=1"}),
        ("domains/a/save", {"path": "/no/such/folder/file"}),
        ("domains/a/dump-core", {"path": "/no/such/folder/file"}),
        ("domains/a/trigger", {"trigger": "boom", "vcpu": 0}),
        ("domains/0/shutdown", {}),
        ("restore", {"path": "/no/such/file"}),
        ("domains", {"config_text": "import os", "config_name": "x"}),
        ("domains", {"config_text": "kernel = '/k'", "config_name": "a"}),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(client, path, body):
    status, message = client.post(path, **body)

    assert 400 <= status < 500
    assert message.count("\n") == 0
    assert client.names() == ["Domain-0", "a"]
