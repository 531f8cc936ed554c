import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.service.negotiation import accepts_gzip, choices


def test_items_come_by_weight_then_precision_then_order():
    header = "a/*;q=0.5, b/c;q=0.5, */*, d/e;q=0.5, f/g;q=0"

    assert ["*/*", "b/c", "d/e", "a/*", "f/g"] == [one.name for one in choices(header)]


def test_quotes_hold_commas_semicolons_and_escaped_quotes():
    (first, second) = choices(r'a/b; x="1,2;3\"4"; Q=0.25, c/d;q=0.1')

    assert ("a/b", {"x": '1,2;3"4'}, 0.25) == (first.name, first.parameters, first.weight)
    assert "c/d" == second.name


@pytest.mark.parametrize(
    ("text", "weight"),
    [("0", 0), ("0.000", 0), ("1.000", 1), (".5", 0.5), ("7", 1), ("-1", 1), ("nan", 1), ("", 1), ('"0.5"', 0.5)],
)  # fmt: skip
def test_a_weight_is_a_number_from_0_to_1(text, weight):
    assert [weight] == [one.weight for one in choices(f"a/b;q={text}")]


@given(st.text(st.sampled_from('ab/*;,="\\ q01.'), max_size=60))
def test_any_header_is_read(header):
    assert all(0 <= one.weight <= 1 for one in choices(header))
    assert accepts_gzip(header) in (True, False)


@pytest.mark.parametrize("text", ['"' * 50_000, '\\"' * 30_000, "a;" * 30_000, 'a="\\' * 15_000])
def test_long_headers_are_read_at_once(text):
    assert choices(text)
