"""The meaning of a line in the shell of a guest's console."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.cli.console.grammar import BadSyntaxError, expand, is_continued, parse

VARIABLES = {"?": "7", "HOSTNAME": "web"}


def read(line):
    """Return (condition, words, target) of each command."""
    return [
        (
            step.condition,
            [expand(word, VARIABLES) for word in step.words],
            None if step.target is None else expand(step.target, VARIABLES),
        )
        for step in parse(line)
    ]


def words(line):
    ((_, found, _),) = read(line)
    return found


@pytest.mark.parametrize("line", ["", "   ", "# opcontrol -shutdown", " \t# x ; y"])
def test_blank_lines_and_comments_say_nothing(line):
    assert read(line) == []


def test_a_line_of_the_talk_is_two_commands():
    line = "opcontrol --reset ; opcontrol --start -vmlinux=/boot/vmlinux"

    assert read(line) == [
        (";", ["opcontrol", "--reset"], None),
        (";", ["opcontrol", "--start", "-vmlinux=/boot/vmlinux"], None),
    ]


def test_operators_need_no_blanks():
    assert [step[:2] for step in read("true&&echo a||echo b;echo c")] == [
        (";", ["true"]),
        ("&&", ["echo", "a"]),
        ("||", ["echo", "b"]),
        (";", ["echo", "c"]),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("a'b'\"c\"d", ["abcd"]),
        ("a '' \"\"", ["a", "", ""]),
        (r"""a '\' "\"\\\x" """, ["a", "\\", '"\\\\x']),
        ("a#b #c", ["a#b"]),
        ("a ';&&' \">\"", ["a", ";&&", ">"]),
        ("echo $? \"<$HOSTNAME>\" '$?' \\$? $NO$HOSTNAME $ $1", ["echo", "7", "<web>", "$?", "$?", "web", "$", "$1"]),
        ("opcontrol \u2013vmlinux=x", ["opcontrol", "\u2013vmlinux=x"]),
    ],
)  # fmt: skip
def test_quotes_and_variables(line, expected):
    assert expected == words(line)


@given(st.lists(st.text(st.characters(blacklist_characters="\n")), min_size=1))
def test_what_is_quoted_comes_through_unchanged(texts):
    assert texts == words(" ".join(map(shlex.quote, texts)))


def doubled(text):
    for char in '\\"$`':
        text = text.replace(char, "\\" + char)
    return f'"{text}"'


@given(st.lists(st.text(st.characters(blacklist_characters="\n")), min_size=1))
def test_what_is_escaped_in_double_quotes_comes_through_unchanged(texts):
    assert texts == words(" ".join(map(doubled, texts)))


@given(st.text(alphabet="ab '\"\\$?;&|><()#`2", max_size=12))
def test_no_line_fails_but_for_its_syntax(line):
    try:
        steps = read(line)
    except BadSyntaxError:
        return
    assert all(found for _, found, _ in steps)


def test_output_goes_to_the_file_behind_the_sign():
    assert read("echo c > /proc/sysrq-trigger; echo d>x") == [
        (";", ["echo", "c"], "/proc/sysrq-trigger"),
        (";", ["echo", "d"], "x"),
    ]


@pytest.mark.parametrize(
    ("line", "token"),
    [("; a", ";"), ("a ;; b", None), ("a && ", "newline"), ("|| b", "||"), ("| b", "|"), ("a |", "newline"), ("a | ; b", ";"), ("a || | b", "|"), ("a > ; b", ";"), ("a >", "newline"), ("> x", "newline"), ("a && && b", "&&")],
)  # fmt: skip
def test_operators_in_wrong_places_are_refused(line, token):
    with pytest.raises(BadSyntaxError) as caught:
        parse(line)

    if token:
        assert f"syntax error near unexpected token `{token}'" == str(caught.value)


@pytest.mark.parametrize(
    ("line", "sign"),
    [("a |& b", "|&"), ("a > b | c", "|"), ("a &", "&"), ("a >> b", ">>"), ("a < b", "<"), ("a 2> b", "2>"), ("(a)", "("), ("`a`", "`"), ("$(a)", "$("), ('"$(a)"', "$("), ("${a}", "${")],
)  # fmt: skip
def test_what_is_not_understood_is_not_taken_for_something_else(line, sign):
    with pytest.raises(BadSyntaxError, match="not understood here") as caught:
        parse(line)

    assert f"`{sign}'" in str(caught.value)


@pytest.mark.parametrize(("line", "quote"), [("a 'b", "'"), ('a "b', '"'), ('"', '"')])
def test_an_open_quote_is_an_error(line, quote):
    with pytest.raises(BadSyntaxError, match=f"looking for matching `{quote}'"):
        parse(line)


@pytest.mark.parametrize(("line", "expected"), [("a \\", True), ("a \\\\", False), ("a", False)])
def test_a_backslash_at_the_end_joins_lines(line, expected):
    assert expected == is_continued(line)


def test_a_pipe_leads_to_filters_and_a_file():
    ((step),) = parse("a b | c -1|d > e")

    assert (("a",), ("b",)) == step.words
    assert ((("c",), ("-1",)), (("d",),)) == step.filters
    assert ("e",) == step.target
