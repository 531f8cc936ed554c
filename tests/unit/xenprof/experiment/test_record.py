"""The file of finished runs."""

import json

import pytest

from tests.support.variants import SMALL, loaded
from xenprof.errors import UsageError
from xenprof.experiment import record as module
from xenprof.experiment.identity import identity
from xenprof.experiment.record import NAME, Record


def filled(folder, experiment):
    with Record(folder, experiment) as record:
        record.add(experiment.variants[0].digest, 1, ((1.5,),))
        record.add(experiment.variants[1].digest, 2, ((None,),))
    return {(experiment.variants[0].digest, 1): ((1.5,),), (experiment.variants[1].digest, 2): ((None,),)}  # fmt: skip


class Reluctant:
    """A file of which a write takes three bytes."""

    def __init__(self, file):
        self._file = file
        self.fileno, self.close = file.fileno, file.close

    def write(self, data):
        return self._file.write(data[:3])


def test_what_is_kept_is_there_again(tmp_path):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    with Record(tmp_path, experiment) as again:
        assert kept == again.runs


def test_nothing_that_is_kept_goes_away_when_another_uses_the_folder(tmp_path):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    other = loaded(tmp_path, SMALL.replace("0.06", "0.08"))
    with Record(tmp_path, other) as record:
        assert {} == record.runs
        record.add(other.variants[0].digest, 1, ((2.5,),))
    with Record(tmp_path, experiment) as again:
        assert kept == again.runs


def test_runs_of_more_seeds_than_are_asked_for_stay_and_do_not_count(tmp_path):
    kept = filled(tmp_path, loaded(tmp_path))
    with Record(tmp_path, loaded(tmp_path, seeds=1)) as record:
        assert dict(list(kept.items())[:1]) == record.runs
    with Record(tmp_path, loaded(tmp_path)) as again:
        assert kept == again.runs


def test_runs_of_another_model_do_not_count(tmp_path, monkeypatch):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    with monkeypatch.context() as changed:
        changed.setattr(module, "identity", lambda: "another")
        with Record(tmp_path, experiment) as record:
            assert {} == record.runs
    with Record(tmp_path, experiment) as again:
        assert kept == again.runs


def test_a_file_that_others_could_read_is_its_users_alone_again(tmp_path):
    (tmp_path / NAME).touch(0o644)
    with Record(tmp_path, loaded(tmp_path)):
        assert 0o600 == (tmp_path / NAME).stat().st_mode & 0o777


def test_a_line_that_the_disk_takes_in_pieces_is_whole(tmp_path, monkeypatch):
    experiment = loaded(tmp_path)
    with Record(tmp_path, experiment) as record:
        file = record._file
        monkeypatch.setattr(record, "_file", Reluctant(file))
        record.add(experiment.variants[0].digest, 1, ((1.5,),))
    with Record(tmp_path, experiment) as again:
        assert {(experiment.variants[0].digest, 1): ((1.5,),)} == again.runs


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_is_not_complete_is_as_if_it_were_not_there(tmp_path, cut):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-cut])
    with Record(tmp_path, experiment) as again:
        assert dict(list(kept.items())[:1]) == again.runs
        again.add(experiment.variants[1].digest, 2, ((None,),))
    with Record(tmp_path, experiment) as again:
        assert kept == again.runs


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "[" * 100_000, '{"model": "MODEL", "variant": [], "seed": {}}',
        '{"model": "MODEL", "variant": "VARIANT", "seed": 2, "values": [["a"]]}',
        '{"model": "MODEL", "variant": "VARIANT", "seed": 2, "values": [[true]]}',
        '{"model": "MODEL", "variant": "VARIANT", "seed": 2, "values": [[1%s]]}' % ("0" * 400),
    ],
)  # fmt: skip
def test_lines_that_mean_nothing_are_passed_over(tmp_path, line):
    experiment = loaded(tmp_path)
    kept = filled(tmp_path, experiment)
    line = line.replace("MODEL", identity()).replace("VARIANT", experiment.variants[0].digest)
    with (tmp_path / NAME).open("a") as file:
        file.write(line + "\n")
    with Record(tmp_path, experiment) as again:
        assert kept == again.runs


def test_two_programs_do_not_write_one(tmp_path):
    experiment = loaded(tmp_path)
    with (
        Record(tmp_path, experiment),
        pytest.raises(UsageError, match="another xenprof experiment writes it"),
    ):
        Record(tmp_path, experiment)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Record(tmp_path, loaded(tmp_path))


def test_each_line_is_json(tmp_path):
    filled(tmp_path, loaded(tmp_path))
    runs = map(json.loads, (tmp_path / NAME).read_text().splitlines())

    assert [{"model", "seed", "values", "variant"}] * 2 == [set(one) for one in runs]
