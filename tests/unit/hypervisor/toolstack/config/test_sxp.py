import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.toolstack.config.sxp import (
    MAXIMUM_DEPTH,
    MAXIMUM_TEXT,
    SxpError,
    child_text,
    children,
    parse,
    to_text,
)

VALUES = st.recursive(st.text(), lambda inner: st.lists(inner, max_size=4), max_leaves=20)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("web", "web"),
        ("()", []),
        ("(vm (name web) (vcpus 2))", ["vm", ["name", "web"], ["vcpus", "2"]]),
        ("(args 'root=/dev/sda1 ro')", ["args", "root=/dev/sda1 ro"]),
        ("(a \"b'c\" 'd\"e')", ["a", "b'c", 'd"e']),
        (r"(a 'b\'c\n\x41\102\\')", ["a", "b'c\nAB\\"]),
        ("(features )", ["features"]),
        ("# first\n(a # then\n b)\n# last", ["a", "b"]),
        (" \t\n(a\r\n b) ", ["a", "b"]),
        ("(uname tap:aio:/a.dsk)", ["uname", "tap:aio:/a.dsk"]),
    ],
)
def test_an_expression_is_nested_lists_of_words(text, value):
    assert value == parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no expression here"),
        ("\n# nothing\n", "line 3: no expression here"),
        ("(a\n(b)", "line 2: the text ends inside a list; ')' is missing"),
        ("(a))", "line 1: ')' after the end of the expression"),
        (")", "line 1: ')' without '('"),
        ("(a)\n(b)", "line 2: '(' after the end of the expression"),
        ("(a\n 'b)", "line 2: unclosed quote"),
        ("(" * (MAXIMUM_DEPTH + 1), f"line 1: nested deeper than {MAXIMUM_DEPTH}"),
        ("x" * (MAXIMUM_TEXT + 1), f"larger than {MAXIMUM_TEXT} characters; not a configuration"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_expression_is_told_with_its_line(text, message):
    with pytest.raises(SxpError) as refused:
        parse(text)
    assert message == str(refused.value)


@given(VALUES)
def test_every_value_is_read_back_as_it_was_written(value):
    assert value == parse(to_text(value))


@given(VALUES)
def test_every_value_is_written_on_one_line(value):
    assert "\n" not in to_text(value)


@given(st.text(alphabet="()'\"\\#\n abx0"))
def test_any_text_is_an_expression_or_one_clear_error(text):
    try:
        parse(text)
    except SxpError as refused:
        assert str(refused).startswith("line ")


@pytest.mark.parametrize("text", ["'" + "\\" * 200_000, "(" + "a " * 100_000, "#" * 200_000])
def test_a_large_text_takes_no_more_than_its_length(text):
    with pytest.raises(SxpError):
        parse(text)


def test_entries_of_a_list_are_found_by_their_first_word():
    value = parse("(vm (device (vbd)) (name web) (device (vif)))")
    assert (len(children(value, "device")), child_text(value, "name")) == (2, "web")


@pytest.mark.parametrize("text", ["(vm)", "vm", "(vm (name))", "(vm (name (a)))", "(vm name)"])
def test_an_entry_that_is_not_there_is_the_default(text):
    assert child_text(parse(text), "name", "none") == "none"
