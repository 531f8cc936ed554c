import io
import sys

import pytest

from xenprof.cli.progress import progress

SECOND_NS = 10**9


class Screen(io.StringIO):
    """A standard error that is a terminal, or is none."""

    def __init__(self, is_terminal):
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal


@pytest.fixture
def screen(monkeypatch):
    def show(*, is_terminal):
        shown = Screen(is_terminal)
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return show


def test_a_terminal_shows_how_far_a_run_has_come_until_it_ends(screen):
    terminal = screen(is_terminal=True)
    with progress(60 * SECOND_NS) as shown:
        shown.at(30 * SECOND_NS)
        shown.at(30 * SECOND_NS + 1)

    assert terminal.getvalue() == "\r\x1b[Krunning  50 % of 60 s\r\x1b[K"


def test_nothing_is_shown_elsewhere(screen):
    file = screen(is_terminal=False)
    with progress(SECOND_NS) as shown:
        shown.at(SECOND_NS)

    assert file.getvalue() == ""


def test_the_line_is_erased_when_a_run_is_broken_off(screen):
    terminal = screen(is_terminal=True)
    with pytest.raises(KeyboardInterrupt), progress(SECOND_NS) as shown:
        shown.at(SECOND_NS // 2)
        raise KeyboardInterrupt

    assert terminal.getvalue().endswith("\r\x1b[K")
