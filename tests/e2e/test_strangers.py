"""What the service tells over TCP to those who should not be asking."""

import http.client
from urllib.parse import urlsplit

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.tiny import TINY


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    (folder / "tiny.toml").write_text(TINY)
    host = Host(
        folder / "home", "--scenario", str(folder / "tiny.toml"),
        "--web.allowed-host", "Xen.example", "--web.allowed-host", "other.example",
    )  # fmt: skip
    yield host
    host.close()


def status(host, name):
    connection = http.client.HTTPConnection(urlsplit(host.url).netloc, timeout=30)
    connection.request("GET", "/api/v1/xenstore", headers={"Host": name})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("name", ["evil.example", "evil.example:10031", "10.0.0.1"])
def test_a_request_for_another_host_reads_nothing(host, name):
    assert status(host, name) == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1:10031", "xen.example", "OTHER.example."])
def test_a_request_for_an_allowed_host_reads(host, name):
    assert status(host, name) == 200


@pytest.mark.parametrize(
    "path",
    ["", "metrics", "api/v1/snapshot", "api/v1/info", "api/v1/dmesg", "api/v1/xenstore",
     "api/v1/managed", "api/v1/history", "api/v1/trace", "api/v1/domains/busy/sxp",
     "api/v1/domains/0/proc", "api/v1/domains/0/proc/nothing", "api/v1/domains/none/console",
     "api/v1/domains/0/console", "api/v1/domains/busy/devices/vbd", "api/v1/domains/0/devices/x",
     "api/v1/domains/0/oprofilefs/none", "api/v1/domains/0/oprofilefs/../../etc/passwd"],
)  # fmt: skip
def test_no_answer_tells_where_home_is(host, path):
    connection = http.client.HTTPConnection(urlsplit(host.url).netloc, timeout=30)
    connection.request("GET", f"/{path}")
    answer = connection.getresponse().read()
    connection.close()

    assert answer
    assert str(host.home).encode() not in answer
