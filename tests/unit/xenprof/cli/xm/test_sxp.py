import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.cli.xm.sxp import flat_sxp, format_sxp

ATOMS = st.text("ab01-_.:/~ =", min_size=1, max_size=12)
TREES = st.recursive(ATOMS, lambda trees: st.lists(trees, min_size=1, max_size=5), max_leaves=30)


@pytest.mark.parametrize(
    ("atom", "shown"),
    [
        ("xvda:disk", "xvda:disk"),
        ("phy:/dev/sdb1", "phy:/dev/sdb1"),
        ("", ""),
        ("@", "@"),
        ("root=/dev/sda1 ro", "'root=/dev/sda1 ro'"),
        ("10MB/s@50ms", "'10MB/s@50ms'"),
        ("it's", '"it\'s"'),
        ("a\\b", "'a\\\\b'"),
        ("\u00e9", "'\\xc3\\xa9'"),
    ],
)
def test_an_atom_is_quoted_if_it_is_no_plain_name(atom, shown):
    assert flat_sxp(atom) == shown


def test_a_list_that_fits_stays_on_its_line():
    assert format_sxp(["device", ["vif", ["mac", "a"]]]) == "(device (vif (mac a)))"


def test_a_list_of_80_columns_fits_and_one_of_81_breaks():
    assert format_sxp(["a" * 36, "b" * 41]).count("\n") == 0
    assert format_sxp(["a" * 36, "b" * 42]).count("\n") == 2


def test_a_broken_list_has_an_item_a_line_four_columns_deeper():
    assert format_sxp(["vm", ["name", "web"], "on"], width=10) == (
        "(vm\n    (name\n        web\n    )\n    on\n)"
    )


def test_a_list_that_begins_with_a_list_begins_one_column_deeper():
    assert format_sxp([["a", "b"], "c"], width=6) == "((a b)\n    c\n)"


@given(TREES)
def test_layout_changes_nothing_but_white_space(tree):
    assert "".join(format_sxp(tree, width=20).split()) == "".join(flat_sxp(tree).split())


@given(TREES)
def test_a_line_that_is_too_wide_holds_one_item(tree):
    wide = [line.strip() for line in format_sxp(tree, width=40).splitlines() if len(line) > 40]
    assert [line for line in wide if ") " in line or " (" in line] == []
