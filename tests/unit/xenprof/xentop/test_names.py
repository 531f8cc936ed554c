import pytest

from xenprof.xentop.names import cut, right, safe, shortened, width


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-01", "web-01"),
        ("evil\x1b[2Jname", "evil?[2Jname"),
        ("two\nlines\ttab", "two?lines?tab"),
        ("c1\x9b31m", "c1?31m"),
        ("abc\u202exyz\u2066", "abc?xyz?"),
        ("zero\u200bwidth\u200d\ufeff", "zero?width??"),
        ("line\u2028paragraph\u2029", "line?paragraph?"),
        ("half\udc80", "half?"),
        ("cafe\u0301", "caf\u00e9"),  # a letter of its own
        ("x\u0301\u0302\u0303", "x???"),  # x has no such letter
        ("no\u00a0break", "no?break"),
        ("\ue000private", "?private"),
        ("日本", "日本"),
    ],
)
def test_what_is_no_letter_with_a_width_becomes_a_question_mark(name, expected):
    assert expected == safe(name)


@pytest.mark.parametrize(("text", "cells"), [("web", 3), ("日本", 4), ("caf\u00e9", 4), ("", 0)])
def test_a_wide_letter_takes_two_cells(text, cells):
    assert cells == width(text)


@pytest.mark.parametrize(
    ("text", "cells", "expected"), [("abcdef", 3, "abc"), ("日本", 3, "日"), ("ab", 3, "ab")]
)
def test_a_text_is_cut_between_letters(text, cells, expected):
    assert expected == cut(text, cells)


@pytest.mark.parametrize(("text", "expected"), [("abcdef", "abc+"), ("abcd", "abcd")])
def test_what_does_not_fit_ends_with_a_plus(text, expected):
    assert expected == shortened(text, 4)


@pytest.mark.parametrize(
    ("text", "expected"), [("ab", "   ab"), ("日", "   日"), ("abcdef", "abcdef")]
)
def test_texts_end_at_the_same_cell(text, expected):
    assert expected == right(text, 5)
