"""Files that are named over TCP by somebody who may change everything lie in domain 0."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.served import PASSWORD, configuration
from tests.support.e2e.tiny import TINY
from tests.support.service_fakes import basic
from xenprof.home import domain_root


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "tiny.toml").write_text(TINY)
    (folder / "web.yml").write_text(configuration())
    host = Host(
        folder / "home", "--speed", "max", "--scenario", str(folder / "tiny.toml"),
        "--web.config.file", str(folder / "web.yml"),
    )  # fmt: skip
    yield host
    host.close()


@pytest.fixture
def outside(tmp_path):
    """Return a folder of this machine that is none of the host's."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def post(host, path, body):
    client = http.client.HTTPConnection(urlsplit(host.url).netloc, timeout=60)
    headers = {"Content-Type": "application/json", **basic("ann", PASSWORD)}
    client.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
    answer = client.getresponse()
    told = json.load(answer)
    client.close()
    return answer.status, told


def test_a_core_goes_into_domain_0(host, outside):
    status, told = post(host, "domains/busy/dump-core", {"path": f"{outside}/core", "live": True})

    assert (status, told) == (200, {"path": f"{outside}/core"})
    assert list(outside.iterdir()) == []
    assert (domain_root(host.home, "Domain-0") / f"{outside}/core".lstrip("/")).is_file()


def test_dots_do_not_lead_out(host, outside):
    path = f"{'../' * 40}{outside}/core"
    status, told = post(host, "domains/busy/dump-core", {"path": path, "live": True})

    assert (status, told) == (200, {"path": f"{outside}/core"})
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("verb", ["save", "dump-core"])
def test_a_link_does_not_lead_out(host, outside, verb):
    link = domain_root(host.home, "Domain-0") / "out"
    link.unlink(missing_ok=True)
    link.symlink_to(outside)

    for path in ("/out", "/out/x"):
        assert post(host, f"domains/busy/{verb}", {"path": path})[0] == 400
    assert list(outside.iterdir()) == []


def test_a_file_of_the_machine_is_not_restored(host, outside):
    (outside / "saved").write_text("LinuxGuestRecord")
    status, told = post(host, "restore", {"path": f"{outside}/saved"})

    assert status == 409
    assert "No such file" in told["error"]["message"]


@pytest.mark.parametrize("path", ["a\0b", "/dev/full/x\0"])
def test_an_impossible_name_is_refused(host, path):
    status, told = post(host, "domains/busy/save", {"path": path})

    assert (status, told["error"]["type"]) == (400, "BadArguments")


def test_what_was_saved_over_tcp_is_restored_from_there(host):
    saved = post(host, "domains/busy/save", {"path": "/var/lib/xen/save/busy"})
    restored = post(host, "restore", {"path": "var/lib/xen/save/busy"})

    assert (saved[0], restored[0]) == (200, 200)
