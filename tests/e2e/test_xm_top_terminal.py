"""xm top in a terminal, in front of a running service."""

import re
import signal

import pytest

from tests.support.e2e.host import Host, environment
from tests.support.e2e.screens import screens, starts
from tests.support.e2e.terminal import Terminal, program
from xenprof.xentop.forms import XENTOP_3
from xenprof.xentop.table import head

KEYS = "  Delay  Networks  vBds  VCPUs  Repeat header  Sort order  Quit  Arrows scroll"
SUMMARY = [
    re.compile(r"xentop - \d\d:\d\d:\d\d   Xen 3\.0\S*"),
    re.compile(r"5 domains: \d running, \d blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown"),
    re.compile(r"Mem: 4194304k total, \d+k used, \d+k free    CPUs: 4 @ 3200MHz"),
]
RIGHT, DOWN = "\x1b[C", "\x1b[B"
FIRST = 4  # the line of the first domain


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("home"))
    yield host
    host.close()


@pytest.fixture
def top(host):
    with screens("xm", "top", home=host.home, last_line=KEYS) as start:
        yield start


def test_the_screen_shows_the_host(top):
    lines = top().lines

    assert [bool(line.fullmatch(text)) for line, text in zip(SUMMARY, lines, strict=False)] == [
        True,
        True,
        True,
    ]


def test_the_domains_stand_below_the_head_in_reverse_video(top):
    terminal = top()

    assert (terminal.reverse(3), [line.split()[0] for line in terminal.lines[4:9]]) == (
        head(XENTOP_3).text[:80],
        ["DesktopVM", "Domain-0", "ossvm02", "r5b2-mySQL01", "rhel5pvtest"],
    )


def test_the_screen_lives(top):
    terminal = top("-d", "0.2")

    lines = terminal.until(lambda lines: float(lines[FIRST].split()[3]) > 0)

    assert float(lines[FIRST].split()[3]) <= 100


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ("n", "Net0 RX:"),
        ("v", "VCPUs(sec):"),
        ("b", "VBD 51712"),
        ("d", "  Delay(sec):"),
        ("d5\r", KEYS),
        ("d0\r", "the delay must be a number of seconds above 0, not '0'"),
        (RIGHT, "      NAME   CPU(sec)"),
        ("nbvr" + DOWN * 3, "Net0 RX:"),
    ],
)
def test_a_key_shows_on_the_screen(top, keys, seen):
    terminal = top()

    terminal.press(keys)

    terminal.until(starts(seen))


def test_s_sorts_by_the_next_column(top):
    terminal = top()

    terminal.press("sss")  # CPU(%)

    def is_sorted(lines):
        percents = [float(line.split()[3]) for line in lines[FIRST : FIRST + 5]]
        return percents[0] > 0 and percents == sorted(percents, reverse=True)

    terminal.until(is_sorted)


def test_a_wider_terminal_shows_all_columns(top):
    terminal = top()

    terminal.resize(160, 40)

    terminal.until(lambda lines: lines[3] == head(XENTOP_3).text and lines[39] == KEYS)


@pytest.mark.parametrize("key", ["q", "Q", "\x1b", "\x03"])
def test_leaving_gives_the_terminal_back(top, key):
    terminal = top()

    terminal.press(key)

    assert (terminal.leave(), terminal.is_as_before) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ending_the_process_gives_the_terminal_back(top, number):
    terminal = top()

    terminal.process.send_signal(number)

    assert (terminal.leave(), terminal.is_as_before) == (0, True)


def test_the_last_iteration_ends_it(top):
    assert top("-i", "2", "-d", "0.1").leave() == 0


def test_without_a_service_there_is_one_line(tmp_path):
    terminal = Terminal(program("xm"), "top", environment=environment(tmp_path), size=(300, 24))
    try:
        code = terminal.leave()
        terminal.until(lambda lines: lines[0].endswith("Is xend running?"))
        told = [line for line in terminal.lines if line]
    finally:
        terminal.close()

    assert (code, len(told)) == (1, 1)


is_told = starts("No new data, trying again: ")


def test_a_service_that_ends_leaves_its_last_data_and_may_come_back(top, tmp_path):
    host = Host(tmp_path)
    try:
        terminal = top("-d", "0.2", home=tmp_path)
        host.close()
        lines = terminal.until(is_told)
        assert lines[FIRST].split()[0] == "DesktopVM"

        host = Host(tmp_path)
        terminal.until(lambda lines: not is_told(lines))
    finally:
        host.close()
