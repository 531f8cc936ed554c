"""Numbers of options are numbers, and in their range."""

import click
import pytest

from xenprof.cli.options import RealNumber


def test_a_number_in_the_range_is_taken():
    assert RealNumber(min=0.1, max=86_400).convert("2.5", None, None) == 2.5


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "one"])
def test_what_is_no_finite_number_is_refused(text: str):
    with pytest.raises(click.BadParameter):
        RealNumber().convert(text, None, None)
