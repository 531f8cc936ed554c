import socket

import pytest

from hypervisor.live.sources.addresses import Access, BadAddress, addresses
from hypervisor.live.sources.overhttp import OverHttp
from hypervisor.live.sources.overssh import OverSsh

HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("agent:/run/xenprof-agent.sock", HERE, OverHttp),
        ("agent:./agent.sock", HERE, OverHttp),
        ("agent:http://127.0.0.1:10032", "127.0.0.1", OverHttp),
        ("agent:https://xen1.example:10032/", "xen1.example", OverHttp),
        ("agent:https://[2001:db8::1]", "2001:db8::1", OverHttp),
        ("ssh:xen1", "xen1", OverSsh),
        ("ssh:root@xen1.example", "xen1.example", OverSsh),
        ("rack1=ssh:xen1", "rack1", OverSsh),
        ("rack1=agent:/run/a=b.sock", "rack1", OverHttp),
    ],
)
def test_a_host_has_the_name_given_or_that_of_its_address(text, name, kind):
    (found,) = addresses([text], Access())

    assert (name, kind) == (found.name, type(found.open()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' names no host; give xen, agent:PATH, agent:URL or ssh:NAME"),
        ("xen1", "'xen1' names no host"),
        ("agent:xen1:10032", "did you mean agent:http://xen1:10032?"),
        ("agent:127.0.0.1:21032", "did you mean agent:http://127.0.0.1:21032?"),
        ("127.0.0.1:21032", "did you mean agent:http://127.0.0.1:21032?"),
        ("x=http://127.0.0.1:21032", "did you mean agent:http://127.0.0.1:21032?"),
        ("/run/xenprof/agent.sock", "did you mean agent:/run/xenprof/agent.sock?"),
        ("http://u:secret@xen1", "names no host"),
        ("ssh:", "'ssh:' names no host"),
        ("ssh:-oProxyCommand=date", "names no host"),
        ("ssh:a;date", "names no host"),
        ("ssh:a b", "names no host"),
        ("x\ny=ssh:a", "names no host"),
        ("agent:https://u:secret@xen1", "use --host.password-file"),
        ("agent:https://xen1/metrics", "is not the address of an agent"),
        ("agent:https://xen1:99999", "is not a URL"),
        ("agent:http://", "is not the address of an agent"),
    ],
)
def test_what_names_no_host_is_refused(text, told):
    with pytest.raises(BadAddress) as refused:
        addresses([text], Access())

    assert told in str(refused.value) and "secret" not in str(refused.value)


def test_two_hosts_of_one_name_are_refused_with_what_to_do():
    with pytest.raises(BadAddress) as refused:
        addresses(["agent:/a", "agent:/b"], Access())

    assert str(refused.value) == (
        f"agent:/a and agent:/b are both called {HERE}: "
        "name one of them, other=agent:/b for example"
    )


def test_a_password_is_not_sent_over_the_network_in_clear():
    with pytest.raises(BadAddress, match="a password is sent by https only"):
        addresses(["agent:http://xen1:10032"], Access("u:p"))

    assert addresses(["agent:http://127.0.0.1:10032"], Access("u:p"))


def test_a_file_without_authorities_is_refused_by_name(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")

    with pytest.raises(BadAddress, match=r"ca\.pem: "):
        addresses(["agent:https://xen1"], Access(ca_file=tmp_path / "ca.pem"))
