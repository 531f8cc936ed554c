import pytest

from tests.support.hostile.trial import attack_programs

COMMANDS = 200


@pytest.fixture
def faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path / "home"))
    return attack_programs(tmp_path, seed=1, count=COMMANDS)


def test_hostile_command_lines_and_files_end_in_a_line_and_never_in_a_traceback(faults):
    assert faults == []
