import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.service_fakes import ask_now
from xenprof.service.hostnames import AllowedHosts, HostCheck, host_name

LOCAL = AllowedHosts.of(["127.0.0.1"])
EVERYWHERE = AllowedHosts.of(["", "0.0.0.0"])


def checked(allowed, headers=None):
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
    return ask_now(HostCheck(app, allowed), "GET", "/", headers=headers)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:10031", "LocalHost.", "localhost.:80", "127.0.0.1", "127.0.0.1:1",
     "127.8.9.10:10031", "[::1]", "[::1]:10031", "[0:0:0:0:0:0:0:1]", "localhost:"],
)  # fmt: skip
def test_loopback_is_allowed_by_name_and_address_on_any_port(host):
    assert LOCAL.allows(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:10031", "localhost.evil.example", "127.0.0.1.evil.example",
     "evil.localhost", "", ":10031", "10.0.0.1", "[fe80::1]", "::1", "[localhost]",
     "localhost@evil.example", "evil.example/localhost", "localhost:80:80", "localhost..",
     "localhost, evil.example", "128.0.0.1", "126.255.255.255", "0.0.0.0"],
)  # fmt: skip
def test_another_host_is_not(host):
    assert not LOCAL.allows(host)


@pytest.mark.parametrize(
    ("listening", "host"),
    [
        (["Box.example", "10.0.0.5"], "box.example:80"),
        (["box.example", "10.0.0.5"], "10.0.0.5"),
        (["[fd00::5]", "fd00::5"], "[FD00:0::5]:80"),
    ],
)
def test_what_is_listened_on_is_allowed_as_given_and_as_bound(listening, host):
    assert AllowedHosts.of(listening).allows(host)


@pytest.mark.parametrize("wildcard", ["", "0.0.0.0", "::", "[::]"])
@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.1.2:10031", "[fe80::1]", "localhost"])
def test_a_wildcard_allows_every_address(wildcard, host):
    assert AllowedHosts.of([wildcard]).allows(host)


@pytest.mark.parametrize("host", ["evil.example", "", "1.2.3.4.evil.example", "[evil.example]"])
def test_a_wildcard_allows_no_name(host):
    assert not EVERYWHERE.allows(host)


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("xen.example", "XEN.example.:80"),
        ("Xen.Example.", "xen.example"),
        ("10.1.2.3", "10.1.2.3:80"),
        ("fd00::7", "[fd00::7]"),
        ("[fd00::7]", "[fd00::7]:80"),
    ],
)
def test_what_is_listed_is_allowed(named, host):
    assert AllowedHosts.of(["127.0.0.1"], [named]).allows(host)


def test_names_below_a_listed_one_are_not():
    assert not AllowedHosts.of(["127.0.0.1"], ["xen.example"]).allows("a.xen.example")


@pytest.mark.parametrize(
    "text", ["", ".", "*", "*.example", "a:80", "http://a", "a b", "é.example"]
)
def test_what_cannot_name_a_host_is_refused(text):
    with pytest.raises(ValueError, match="not the name or address"):
        host_name(text)


def test_a_request_for_another_host_is_told_so_in_a_line_without_that_name():
    status, _, body = checked(LOCAL, {"host": "evil.example"})

    assert (status, body.count(b"\n"), b"evil" in body) == (403, 1, False)


def test_a_request_for_an_allowed_host_is_answered():
    assert checked(LOCAL, {"host": "localhost:10031"})[0] == 200


def test_a_request_without_the_header_is_answered():
    assert checked(LOCAL)[0] == 200
