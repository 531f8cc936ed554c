"""What xm says to type on a host that is watched, not managed."""

from dataclasses import replace

import pytest

from hypervisor.errors import MissingCapability
from tests.support.talk_host import HOST, FakeClient
from xenprof.cli.xm.there import there
from xenprof.client import MISSING_CAPABILITY, ServiceError


@pytest.mark.parametrize(
    ("scheduler", "name", "words", "told"),
    [
        ("credit", "pause", ["web"], "; in its domain 0: xl pause web"),
        ("credit", "mem-set", ["a b", "100"], "; in its domain 0: xl mem-set 'a b' 100"),
        ("credit", "sched-credit", ["-d", "web"], "; in its domain 0: xl sched-credit -d web"),
        ("credit2", "sched-credit", ["-d", "web"], "; in its domain 0: xl sched-credit2 -d web"),
        ("null", "sched-credit", ["-d", "web"], ""),
        ("credit", "log", [], "; in its domain 0: tail /var/log/xen/xl-*.log"),
        ("credit", "resume", ["web"], ""),
    ],
)
def test_the_command_of_xl_is_told_where_there_is_one(scheduler, name, words, told):
    client = FakeClient()
    client.hosts = [replace(HOST, tools="xl", scheduler=scheduler)]

    assert told == there(client, name, words)


def test_a_host_of_xapi_is_managed_by_xe():
    client = FakeClient()
    client.hosts = [replace(HOST, tools="xapi")]

    assert "; in its domain 0 that is xe" == there(client, "pause", ["web"])


def test_a_refusal_ends_with_the_command_by_its_full_name(xm):
    refusal = MissingCapability("toolstack")
    client = FakeClient(dmesg=ServiceError(str(refusal), MISSING_CAPABILITY, 1, 501))
    client.hosts = [replace(HOST, tools="xl")]

    assert xm("dme", client=client) == (1, "", f"Error: {refusal}; in its domain 0: xl dmesg\n")
