"""The table of experiments."""

from xenprof.validate.table import EXPERIMENTS, ROWS, of_rows

FIGURES = [figure for experiment in EXPERIMENTS for figure in experiment.figures]


def test_rows_are_in_order():
    assert sorted(ROWS) == list(ROWS)


def test_no_two_figures_have_one_name():
    names = [(experiment.row, f.metric) for experiment in EXPERIMENTS for f in experiment.figures]
    assert len(set(names)) == len(names)


def test_every_figure_has_a_source_and_a_unit():
    assert [] == [figure.metric for figure in FIGURES if not (figure.source and figure.unit)]


def test_a_tolerance_holds_what_was_published():
    """The ends of a published range, or its one end, lie within the tolerance."""

    def ends(published):
        return published if isinstance(published, tuple) else (published,)

    assert [] == [
        figure.metric
        for figure in FIGURES
        for end in ends(figure.published)
        if end is not None and not figure.takes(end)
    ]


def test_rows_are_chosen_by_number():
    assert {9} == {experiment.row for experiment in of_rows((9,))}
