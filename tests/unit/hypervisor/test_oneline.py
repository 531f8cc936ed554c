"""What others have written stays on one line."""

import pytest

from hypervisor.errors import Refused
from hypervisor.oneline import LONGEST, one_line, readable_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("domain 'web': café", "domain 'web': café"),
        ("a\nb\tc", r"a\nb\tc"),
        ("a\x1b[31m\x7f", r"a\x1b[31m\x7f"),
        ("a\u2028\u202eb", r"a\u2028\u202eb"),
        ("it's\n", r"it's\n"),
    ],
)
def test_what_breaks_a_line_or_commands_a_terminal_is_escaped(text, line):
    assert line == one_line(text)


def test_of_a_long_line_the_middle_is_left_out():
    line = readable_line(f"no domain '{'x' * 10**6}'; use a, b")
    assert (line[:14], line[-12:]) == ("no domain 'xxx", "x'; use a, b")
    assert len(line) <= LONGEST + 5


def test_an_error_of_a_host_is_one_line_whatever_is_named_in_it():
    assert str(Refused("no bridge 'a\nb'")) == r"no bridge 'a\nb'"
