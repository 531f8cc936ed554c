import pytest

from xenprof.opreport.commalist import split_list


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        ("a,", ("a",)),
        (",", ("",)),
        ("a,,b", ("a", "", "b")),
        (r"f(int\, char),b", ("f(int, char)", "b")),
    ],
)
def test_only_an_empty_item_at_the_end_does_not_count(text, items):
    assert items == split_list(text)
