"""xenprof top in a terminal, in front of a running service and of a recording."""

import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.screens import screens, starts

KEYS = "  Delay  Networks  vBds  VCPUs  Repeat  Sort  Pcpus  Info  Quit"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("home"))
    yield host
    host.close()


@pytest.fixture
def top(host):
    with screens("xenprof", "top", home=host.home, last_line=KEYS) as start:
        yield start


def test_steal_is_shown_of_a_host_that_lives(top):
    terminal = top("-d", "0.2")
    lines = terminal.until(lambda lines: lines[4].split()[4] not in ("-", ""))

    assert 0 <= float(lines[4].split()[4]) <= 400


@pytest.mark.parametrize(
    ("key", "seen"), [("p", "4 pcpus, "), ("i", "DATA "), ("n", "Net0 RX:"), ("v", "VCPUs(sec):")]
)
def test_a_key_shows_on_the_screen(top, key, seen):
    terminal = top()
    terminal.press(key)

    terminal.until(starts(seen))


@pytest.mark.parametrize("key", ["q", "\x1b", "\x03"])
def test_leaving_gives_the_terminal_back(top, key):
    terminal = top()
    terminal.press(key)

    assert (0, True) == (terminal.leave(), terminal.is_as_before)


def test_what_was_recorded_on_the_screen_is_replayed_on_it(top, tmp_path):
    path = tmp_path / "host.rec"
    assert 0 == top("-d", "0.2", "-i", "3", "--record", str(path)).leave()
    terminal = top("--replay", str(path))
    terminal.press(",")  # step back, however far it has gone: that pauses

    terminal.until(lambda lines: " paused;" in lines[-2] or " paused;" in lines[-3])
