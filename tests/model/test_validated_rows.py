"""Rows of published figures whose experiments are long in plain Python; here they run compiled."""

from xenprof.validate.table import of_rows

ROW_OF_SWITCHES = 19


def test_process_switches_take_what_is_claimed_with_one_seed() -> None:
    wrong = [
        (figure.metric, value)
        for experiment in of_rows((ROW_OF_SWITCHES,))
        for figure, value in zip(experiment.figures, experiment.values(1), strict=True)
        if figure.is_claimed and not figure.takes(value)
    ]

    assert [] == wrong
