"""Published figures whose experiments are soon done when compiled, each with one seed."""

import pytest

from xenprof.validate.table import of_rows

QUICK = (8, 17, 19, 40, 41)


@pytest.mark.parametrize("row", QUICK)
def test_the_model_gives_what_is_claimed_with_one_seed(row: int) -> None:
    wrong = [
        (figure.metric, value)
        for experiment in of_rows((row,))
        for figure, value in zip(experiment.figures, experiment.values(1), strict=True)
        if figure.is_claimed and not figure.takes(value)
    ]

    assert [] == wrong
