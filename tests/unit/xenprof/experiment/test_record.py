"""The file of finished runs."""

import json

import pytest

from tests.support.variants import SMALL, loaded
from xenprof.errors import UsageError
from xenprof.experiment import record as module
from xenprof.experiment.record import NAME, Record


def filled(folder, experiment, **options):
    with Record(folder, experiment, resumes=False) as record:
        record.add(experiment.variants[0].digest, 1, ((1.5,),))
        record.add(experiment.variants[1].digest, 2, ((None,),))
    return {(experiment.variants[0].digest, 1): ((1.5,),), (experiment.variants[1].digest, 2): ((None,),)}  # fmt: skip


def test_what_is_kept_is_there_again(tmp_path):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    with Record(tmp_path, experiment, resumes=True) as again:
        assert kept == again.runs


def test_without_resume_it_begins_anew(tmp_path):
    experiment = loaded(tmp_path)
    filled(tmp_path, experiment)
    with Record(tmp_path, experiment, resumes=False) as again:
        assert {} == again.runs
    assert 1 == len((tmp_path / NAME).read_text().splitlines())


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_is_not_complete_is_as_if_it_were_not_there(tmp_path, cut):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-cut])
    with Record(tmp_path, experiment, resumes=True) as again:
        assert dict(list(kept.items())[:1]) == again.runs
        again.add(experiment.variants[1].digest, 2, ((None,),))
    with Record(tmp_path, experiment, resumes=True) as again:
        assert kept == again.runs


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"variant": 3, "seed": 1}', '{"variant": "x", "seed": 1, "values": [["a"]]}']
)  # fmt: skip
def test_lines_that_mean_nothing_are_passed_over(tmp_path, line):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    with (tmp_path / NAME).open("a") as file:
        file.write(line + "\n")
    with Record(tmp_path, experiment, resumes=True) as again:
        assert kept == again.runs


def test_that_of_another_experiment_is_refused(tmp_path):
    filled(tmp_path, loaded(tmp_path))
    other = loaded(tmp_path, SMALL.replace("0.06", "0.08"))
    with pytest.raises(UsageError, match="it is of another experiment"):
        Record(tmp_path, other, resumes=True)


def test_that_of_another_model_is_refused(tmp_path, monkeypatch):
    experiment = loaded(tmp_path)
    filled(tmp_path, experiment)
    monkeypatch.setattr(module, "identity", lambda: "another")
    with pytest.raises(UsageError, match="the model has changed since"):
        Record(tmp_path, experiment, resumes=True)


def test_two_programs_do_not_write_one(tmp_path):
    experiment = loaded(tmp_path)
    with (
        Record(tmp_path, experiment, resumes=False),
        pytest.raises(UsageError, match="another xenprof experiment writes it"),
    ):
        Record(tmp_path, experiment, resumes=True)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Record(tmp_path, loaded(tmp_path), resumes=False)


def test_each_line_is_json(tmp_path):
    filled(tmp_path, loaded(tmp_path))
    head, *runs = map(json.loads, (tmp_path / NAME).read_text().splitlines())

    assert {"experiment", "model", "name"} == set(head)
    assert [{"seed", "values", "variant"}] * 2 == [set(one) for one in runs]
