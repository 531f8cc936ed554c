from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.talk_host import HOST, FakeClient
from tests.support.xentop_screen import later
from xenprof.client import ServiceNotRunning
from xenprof.xentop.screen import Pace
from xenprof.xentop.view import View

WAIT = ("/api/v1/wait", {"seconds": 3.0})
HELP = """\
Usage: xm top [OPTION]
Displays ongoing information about xen vm resources\x20

-h, --help           display this help and exit
-V, --version        output version information and exit
-d, --delay=SECONDS  seconds between updates (default 3)
-n, --networks       output vif network data
-x, --vbds           output vbd block device data
-r, --repeat-header  repeat table header before each domain
-v, --vcpus          output vcpu data
-b, --batch          output in batch mode, no user input accepted
-i, --iterations=N   number of iterations before exiting
"""
TOP = """\
      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR SSID
 DesktopVM --b---          7    0.0     524288   12.5     524288      12.5     1    1     1000     2000    1        4      729       31    0
  Domain-0 -----r       1281    0.0     672768   16.0   no limit       n/a     2    0        0        0    0        0        0        0    0
   ossvm02 --b---          0    0.0      65536    1.6      65536       1.6     2    0        0        0    0        0        0        0    0
r5b2-mySQL01 --b---         16    0.0     512000   12.2     512000      12.2     1    0        0        0    0        0        0        0    0
   WinDoof --b---          8    0.0     524288   12.5     524288      12.5     1    0        0        0    0        0        0        0    0
"""


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


def test_iterations_are_a_delay_apart(xm):
    client = FakeClient(hosts=[replace(HOST, tools="3.1")])
    xm("top", "-b", "-d", "5", "--iterations=3", client=client)
    assert client.posts == [("/api/v1/wait", {"seconds": 5.0})] * 2


@pytest.mark.parametrize(("tools", "waits"), [("3.0.3", 2), ("3.1", 1)])
def test_the_tools_of_3_0_3_wait_once_more_after_the_last_iteration(xm, tools, waits):
    client = FakeClient(hosts=[replace(HOST, tools=tools)])
    xm("top", "-bi2", client=client)
    assert client.posts == [WAIT] * waits


def test_batch_options_choose_the_detail_lines(xm):
    _, out, _ = xm("top", "-bnxv", "-i1")
    assert [line.split()[0] for line in out.splitlines()[1:6]] == [
        "DesktopVM",
        "VCPUs(sec):",
        "Net0",
        "VBD",
        "Domain-0",
    ]


def test_the_head_can_be_repeated_before_each_domain(xm):
    _, out, _ = xm("top", "-b", "-r", "-i1")
    assert out.splitlines()[::2] == [TOP.splitlines()[0]] * 5


@pytest.mark.parametrize("delay", ["0", "-1", "x", "nan", "inf"])
def test_a_delay_that_is_no_time_is_refused(xm, delay):
    code, _, error = xm("top", "-b", "-d", delay)
    assert (code, error) == (
        1,
        f"Error: the delay must be a number of seconds above 0, not '{delay}'\n",
    )


def test_version_is_xentops(xm):
    assert xm("top", "-V") == (0, "xentop 1.0\n", "")


def test_help_is_xentops(xm):
    assert xm("top", "-h") == (0, HELP, "")


def test_the_screen_wants_a_terminal(xm):
    assert xm("top") == (1, "", "xm top: not a terminal; use -b\n")


@pytest.fixture
def terminal(monkeypatch):
    """Pretend that there is a terminal; return the arguments of the screen."""
    calls = []

    def run(face, feed, first, view, pace):
        calls.append((view, pace))
        return 0

    monkeypatch.setattr("os.isatty", lambda descriptor: True)
    monkeypatch.setattr("xenprof.xentop.screen.run", run)
    return calls


@pytest.mark.parametrize(
    ("words", "view", "pace"),
    [
        ((), View(), Pace(3.0)),
        (("-d", "1.5", "-i7"), View(), Pace(1.5, 7)),
        (("-i", "0"), View(), Pace(3.0)),
        (("-nxvr",), View(networks=True, vbds=True, vcpus=True, repeats_head=True), Pace(3.0)),
    ],
)
def test_the_screen_starts_as_the_options_say(xm, terminal, words, view, pace):
    xm("top", *words)
    assert terminal == [(view, pace)]


def test_without_a_service_there_is_an_error_and_no_screen(xm, terminal, monkeypatch):
    def refuse(client):
        raise ServiceNotRunning(Path("/home"))

    monkeypatch.setattr("xenprof.cli.xm.top.newest", refuse)
    code, out, error = xm("top")
    assert (code, out, error.count("\n"), terminal) == (1, "", 1, [])
