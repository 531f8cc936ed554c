import click
import pytest

from xenprof.cli.durations import Duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("60s", 60 * 10**9),
        ("60", 60 * 10**9),
        ("200ms", 200 * 10**6),
        ("1.5m", 90 * 10**9),
        ("1h", 3600 * 10**9),
        (".5s", 5 * 10**8),
    ],
)
def test_a_duration_is_read_with_its_unit(text, nanoseconds):
    assert Duration().convert(text, None, None) == nanoseconds


@pytest.mark.parametrize("text", ["", "0s", "-1s", "5 weeks", "s", "1e3"])
def test_anything_else_is_refused(text):
    with pytest.raises(click.BadParameter, match="is not a duration"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("text", ["9" * 400, "9" * 5000, "3000000h"])
def test_a_duration_that_no_counter_holds_is_refused_in_a_short_line(text):
    with pytest.raises(click.BadParameter) as refused:
        Duration().convert(text, None, None)

    assert len(refused.value.message) < 120
