import click
import pytest

from xenprof.cli.weburls import telemetry_path, url_path, web_address

CONTEXT, OPTION = click.Context(click.Command("serve")), click.Option(["--there"])


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1:1", "https://u:p@[::1]:8443/a/b?c=d", "http://box/%20"]
)
def test_an_address_of_the_web_stays_as_it_is(value: str):
    assert value == web_address(CONTEXT, OPTION, value)


@pytest.mark.parametrize(
    "value",
    [
        "", "notaurl", "javascript:x", "ftp://h/", "//h/", "http://", "http:///path", "http://[",
        "http://h:99999/", "http://h:x/", "http://h/a b", "http://h/a\nb", "\thttp://h/",
        "http://h/\x7f", "http://h/%zz", "http://h/%1", "http://h/\udc80",
    ],
)  # fmt: skip
def test_what_no_program_can_ask_is_refused(value: str):
    with pytest.raises(click.BadParameter, match="http:// or https://"):
        web_address(CONTEXT, OPTION, value)


def test_a_refusal_does_not_tell_the_password():
    with pytest.raises(click.BadParameter) as refusal:
        web_address(CONTEXT, OPTION, "http://u:SECRET@h:99999/?token=SECRET")

    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("value", ["/metrics", "/a/b-c_d.e~f", "/metrics/", "/a:b@c", "/api/xen"])
def test_a_path_can_be_chosen(value: str):
    assert value == telemetry_path(CONTEXT, OPTION, value)


@pytest.mark.parametrize(
    "value",
    [
        "", "nolead", "http://evil/", "//evil/", "/a?b", "/a#b", "/a b", "/a\nb", "/a%20b", "/ä",
        "/{rest:path}", "/a//b", "/..", "/a/../b", "/./a", "/a/.", "/\udc80",
    ],
)  # fmt: skip
def test_what_no_request_reaches_is_no_path(value: str):
    with pytest.raises(click.BadParameter, match="is not the path of a URL, such as /metrics"):
        url_path(CONTEXT, OPTION, value)


@pytest.mark.parametrize(
    "value", ["/", "/-/healthy", "/-/ready", "/api/v1/snapshot", "/api/v1/sd", "/docs/api"]
)
def test_a_path_of_the_service_is_not_free(value: str):
    with pytest.raises(click.BadParameter, match="the service has something else there"):
        telemetry_path(CONTEXT, OPTION, value)
