from dataclasses import replace

import pytest

from tests.unit.xm.talk_host import (
    DESKTOP,
    DOMAIN_0,
    HOST,
    OSSVM02,
    SECOND,
    FakeClient,
    as_json,
    vcpu,
)
from xenprof.cli.xm.top import HEAD, table

TOP = """\
      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR SSID
 DesktopVM --b---          7    0.0     524288   12.5     524288      12.5     1    1     1000     2000    1        4      729       31    0
  Domain-0 -----r       1281    0.0     672768   16.0   no limit       n/a     2    0        0        0    0        0        0        0    0
   ossvm02 --b---          0    0.0      65536    1.6      65536       1.6     2    0        0        0    0        0        0        0    0
r5b2-mySQL01 --b---         16    0.0     512000   12.2     512000      12.2     1    0        0        0    0        0        0        0    0
   WinDoof --b---          8    0.0     524288   12.5     524288      12.5     1    0        0        0    0        0        0        0    0
"""


def later(host, seconds, **cpu_seconds):
    """The host after a while in which domains have used `cpu_seconds` each."""
    domains = tuple(
        replace(d, cpu_ns=d.cpu_ns + round(cpu_seconds.get(d.name, 0) * SECOND))
        for d in host.domains
    )
    return replace(host, time_ns=host.time_ns + seconds * SECOND, domains=domains)


def rows(*arguments, **settings):
    return list(table(*(as_json(host) for host in arguments), **settings))


def test_one_iteration_is_xentops_table_sorted_by_name_ignoring_case(xm):
    assert xm("top", "-b", "-i", "1") == (0, TOP, "")


def test_cpu_percent_is_of_one_pcpu_over_the_time_between_two_iterations(xm):
    hosts = [HOST, later(HOST, 3, DesktopVM=1.5, ossvm02=6.0)]
    _, out, _ = xm("top", "-b", "-i2", hosts=hosts)
    second = {line.split()[0]: line.split()[3] for line in out.splitlines()[7:]}
    assert second == {
        "DesktopVM": "50.0",
        "Domain-0": "0.0",
        "ossvm02": "200.0",
        "r5b2-mySQL01": "0.0",
        "WinDoof": "0.0",
    }


def test_iterations_are_a_delay_apart_and_none_follows_the_last(xm):
    client = FakeClient()
    xm("top", "-b", "-d", "5", "--iterations=3", client=client)
    assert client.posts == [("/api/v1/wait", {"seconds": 5.0})] * 2


def test_the_default_delay_is_three_seconds(xm):
    client = FakeClient()
    xm("top", "-bi2", client=client)
    assert client.posts == [("/api/v1/wait", {"seconds": 3.0})]


def test_a_domain_that_was_not_there_before_shows_no_cpu_percent():
    before = replace(HOST, domains=(DOMAIN_0,))
    now = later(replace(HOST, domains=(DOMAIN_0, OSSVM02)), 3, ossvm02=3.0)
    assert rows(now, before)[2].split()[3] == "0.0"


def test_memory_is_what_the_domain_has_not_its_target():
    shrinking = replace(OSSVM02, memory_kib=60_000, target_kib=32 * 1024)
    assert rows(replace(HOST, domains=(shrinking,)))[1].split()[4] == "60000"


def test_vcpu_lines_hold_five_online_vcpus_each():
    many = tuple(vcpu(n, 0, "blocked", n) for n in range(6))
    host = replace(HOST, domains=(replace(OSSVM02, vcpus=many),))
    assert rows(host, vcpus=True)[2:] == [
        "VCPUs(sec):   0:          0s  1:          1s  2:          2s  3:          3s  4:          4s",
        "          5:          5s",
    ]


def test_network_and_disk_lines_follow_the_domain_and_skip_tap_disks():
    host = replace(HOST, domains=(DESKTOP,))
    assert rows(host, networks=True, vbds=True)[2:] == [
        "Net0 RX:  2048000bytes     1500pkts        0err        2drop  "
        "TX:  1025000bytes      900pkts        0err        0drop",
        "VBD 51712 [ca: 0]  OO:        4   RD:      729   WR:       31",
    ]


def test_the_head_can_be_repeated_before_each_domain():
    assert rows(HOST, repeats_head=True)[::2] == [HEAD] * 5


@pytest.mark.parametrize("delay", ["0", "-1", "x", "nan", "inf"])
def test_a_delay_that_is_no_time_is_refused(xm, delay):
    code, _, error = xm("top", "-b", "-d", delay)
    assert (code, error) == (
        1,
        f"Error: the delay must be a number of seconds above 0, not '{delay}'\n",
    )


def test_version_is_xentops(xm):
    assert xm("top", "-V") == (0, "xentop 1.0\n", "")
