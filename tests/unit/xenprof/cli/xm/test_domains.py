import pytest

from tests.support.talk_host import HOST, NEW_TOOLS, FakeClient
from xenprof.cli.xm.command import XmError
from xenprof.cli.xm.domains import memory_mib
from xenprof.client import ServiceError

PATH = "/api/v1/domains/web"


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["destroy", "web"], f"{PATH}/destroy", {}),
        (["pause", "web"], f"{PATH}/pause", {}),
        (["unpause", "web"], f"{PATH}/unpause", {}),
        (["vcpu-set", "web", "2"], f"{PATH}/set-vcpus", {"count": 2}),
        (["vcpu-set", "web", "-1"], f"{PATH}/set-vcpus", {"count": -1}),
        (["vcpu-pin", "web", "0", "1-3,^2"], f"{PATH}/pin-vcpu", {"vcpu": 0, "pcpus": [1, 3]}),
        (["vcpu-pin", "web", "all", "0"], f"{PATH}/pin-vcpu", {"vcpu": None, "pcpus": [0]}),
        (["mem-set", "web", "128"], f"{PATH}/set-memory", {"mib": 128}),
        (["mem-max", "web", "1g"], f"{PATH}/set-maximum-memory", {"mib": 1024}),
        (["sysrq", "web", "h"], f"{PATH}/sysrq", {"key": "h"}),
        (["rename", "web", "shop"], f"{PATH}/rename", {"name": "shop"}),
        (["block-attach", "web", "phy:sdb1", "xvdb", "w"], f"{PATH}/attach-block",
         {"backend": "phy:sdb1", "frontend": "xvdb", "mode": "w"}),
        (["block-attach", "web", "phy:sdb1", "xvdb", "w", "2"], f"{PATH}/attach-block",
         {"backend": "phy:sdb1", "frontend": "xvdb", "mode": "w", "backend_domain": "2"}),
        (["block-configure", "web", "file:/a.iso", "hdc", "r"], f"{PATH}/configure-block",
         {"backend": "file:/a.iso", "frontend": "hdc", "mode": "r"}),
        (["block-detach", "web", "xvdb"], f"{PATH}/detach-block",
         {"device": "xvdb", "force": False}),
        (["block-detach", "web", "0xca10"], f"{PATH}/detach-block",
         {"device": 51728, "force": False}),
        (["network-attach", "web"], f"{PATH}/attach-network", {"options": ""}),
        (["network-attach", "web", "mac=00:16:3e:00:00:01", "colour=red"],
         f"{PATH}/attach-network", {"options": "mac=00:16:3e:00:00:01,colour=red"}),
        (["network-detach", "web", "1"], f"{PATH}/detach-network", {"index": 1, "force": False}),
    ],
)  # fmt: skip
def test_a_command_sends_one_call_and_prints_nothing(xm, words, path, body):
    client = FakeClient()
    assert xm(*words, client=client) == (0, "", "")
    assert client.posts == [(path, body)]


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["vcpu-pin", "web", "0", "all"], f"{PATH}/pin-vcpu",
         {"vcpu": 0, "pcpus": list(range(64))}),
        (["trigger", "web", "nmi"], f"{PATH}/trigger", {"trigger": "nmi", "vcpu": 0}),
        (["trigger", "web", "init", "1"], f"{PATH}/trigger", {"trigger": "init", "vcpu": 1}),
        (["debug-keys", "rq"], "/api/v1/debug-keys", {"keys": "rq"}),
        (["block-detach", "web", "xvdb", "-f"], f"{PATH}/detach-block",
         {"device": "xvdb", "force": True}),
        (["network-detach", "--force", "web", "0"], f"{PATH}/detach-network",
         {"index": 0, "force": True}),
        (["network-attach", "web", "bridge=xenbr0"], f"{PATH}/attach-network",
         {"options": "bridge=xenbr0"}),
        (["delete", "web"], f"{PATH}/delete", {}),
        (["start", "web"], f"{PATH}/start", {"paused": False}),
        (["start", "-p", "web"], f"{PATH}/start", {"paused": True}),
        (["suspend", "web"], f"{PATH}/suspend", {}),
        (["resume", "web", "--paused"], f"{PATH}/resume", {"paused": True}),
    ],
)  # fmt: skip
def test_what_3_1_added_sends_one_call_and_prints_nothing(xm, words, path, body):
    client = FakeClient(hosts=[NEW_TOOLS])
    assert xm(*words, client=client) == (0, "", "")
    assert client.posts == [(path, body)]


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (["vcpu-pin", "web", "0", "all"], [HOST]),
        (["vcpu-pin", "web", "all", "0"], [NEW_TOOLS]),
        (["vcpu-set", "web", "two"], [HOST]),
        (["mem-set", "web", "much"], [HOST]),
        (["mem-set", "web", "9" * 5000], [HOST]),
        (["network-detach", "web", "eth0"], [HOST]),
        (["trigger", "web", "nmi", "x"], [NEW_TOOLS]),
    ],
)
def test_what_is_no_number_where_one_is_needed_is_an_invalid_argument(xm, words, hosts):
    client = FakeClient(hosts=hosts)
    code, out, error = xm(*words, client=client)
    assert (code, error, client.posts) == (1, "Error: Invalid argument.\n", [])
    assert out.startswith(f"Usage: xm {words[0]} ")


@pytest.mark.parametrize(
    ("option", "hosts"), [("mac", [HOST]), ("colour=red", [NEW_TOOLS]), ("mac=", [NEW_TOOLS])]
)
def test_an_option_of_a_network_device_must_be_a_key_with_a_value(xm, option, hosts):
    _, _, error = xm("network-attach", "web", option, hosts=hosts)
    assert error == f"Error: Invalid argument: {option}\n"


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
    assert out == "Usage: xm pause <Domain>\n\nStop a domain where it is; it keeps its memory.\n"
