"""What is said of findings."""

from tests.support.variants import SMALL, found_of, found_small, loaded
from xenprof.experiment.words import cells, headline, heads, sentences, verdicts


def test_a_row_has_its_axes_and_for_each_result_mean_and_spread(tmp_path):
    found = found_small(tmp_path)

    assert ("cap", "ran [%]", "spread", "of uncapped [%]", "spread") == heads(found)
    assert ("0", "95", "90 to 100", "-", "-") == cells(found, found.rows[0])
    assert ("50", "52", "50 to 54", "55", "50 to 60") == cells(found, found.rows[1])


def test_sentences_end_with_how_far_the_talk_agrees(tmp_path):
    assert [
        "What a cap takes.",
        "The talk: Less than half.",
        "of uncapped: 55 %; the talk has up to 60: agrees.",
    ] == list(sentences(found_small(tmp_path)))


def test_a_headline_has_figures_with_their_spread(tmp_path):
    text = 'headline = "Alone it ran {ran|0}, and lost no {steps}."\n' + SMALL
    text = text.replace("{steps}", "{of uncapped|50}")
    values = {(0, 1): [[100.0]], (0, 2): [[90.0]], (1, 1): [[50.0]], (1, 2): [[45.0]]}

    assert "Alone it ran 95 % (90 to 100), and lost no 50 %." == headline(
        found_of(loaded(tmp_path, text), values)
    )


def test_a_headline_names_the_piece_of_time(tmp_path):
    text = 'headline = "{ran|0|2}"\nevery_s = 0.03\n' + SMALL
    values = {(n, seed): [[1.0], [2.0]] for n in (0, 1) for seed in (1, 2)}

    assert "2 %" == headline(found_of(loaded(tmp_path, text), values))


def test_the_headline_is_told_first(tmp_path):
    found = found_of(loaded(tmp_path, 'headline = "Caps cap."\n' + SMALL), {})

    assert "Caps cap." == next(iter(sentences(found)))


def test_a_mean_outside_of_the_bound_does_not_agree(tmp_path):
    found = found_of(loaded(tmp_path, seeds=1), {(0, 1): [[100.0]], (1, 1): [[70.0]]})

    assert ["of uncapped: 70 %; the talk has up to 60: does not agree."] == list(verdicts(found))


def test_a_mean_that_is_unknown_agrees_with_nothing(tmp_path):
    text = SMALL.replace("only = { cap = 50 }", "")
    free, half = {(0, 1): [[100.0]]}, {(1, 1): [[50.0]]}

    assert [
        "of uncapped: 100 %; the talk has up to 60: does not agree.",
        "of uncapped: unknown; the talk has up to 60: it is unknown in 2 of 2 rows.",
        "of uncapped: 50 to 100 %; the talk has up to 100: agrees.",
        "of uncapped: 100 %; the talk has up to 100: it is unknown in 1 of 2 rows.",
    ] == [
        *verdicts(found_of(loaded(tmp_path, text, seeds=1), free)),
        *verdicts(found_of(loaded(tmp_path, text, seeds=1), half)),
        *verdicts(found_of(loaded(tmp_path, up_to_100(text), seeds=1), free | half)),
        *verdicts(found_of(loaded(tmp_path, up_to_100(text), seeds=1), free)),
    ]


def up_to_100(text: str) -> str:
    return text.replace("high = 60", "high = 100")
