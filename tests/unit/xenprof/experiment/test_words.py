"""What is said of findings."""

from tests.support.variants import SMALL, found_of, found_small, loaded
from xenprof.experiment.words import cells, heads, sentences, verdicts


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


def test_a_mean_outside_of_the_bound_does_not_agree(tmp_path):
    found = found_of(loaded(tmp_path), {(0, 1): [[100.0]], (1, 1): [[70.0]]})

    assert ["of uncapped: 70 %; the talk has up to 60: does not agree."] == list(verdicts(found))


def test_without_runs_there_is_no_verdict(tmp_path):
    assert [] == list(verdicts(found_of(loaded(tmp_path, SMALL), {})))
