from pathlib import Path

import pytest

from dashboards.observe.reload import Refused, is_taken

TAKEN = 'ts=1 level=info msg="Completed loading of configuration file" file=a.yml\n'
REFUSED = (
    'ts=2 level=error component=configuration msg="Loading configuration file failed" err="x"\n',
    'ts=2 level=error msg="Error reloading config" err="x"\n',
)


def log(folder: Path, text: str) -> Path:
    path = folder / "log"
    path.write_text(text)
    return path


def test_what_was_said_before_does_not_count(tmp_path: Path):
    assert not is_taken(log(tmp_path, TAKEN + "level=info\n"), len(TAKEN))


def test_a_configuration_that_is_taken_is_told(tmp_path: Path):
    assert is_taken(log(tmp_path, REFUSED[0] + TAKEN), len(REFUSED[0]))


@pytest.mark.parametrize("line", REFUSED)
def test_a_configuration_that_is_refused_is_told_with_the_reason(tmp_path: Path, line: str):
    with pytest.raises(Refused, match='err="x"'):
        is_taken(log(tmp_path, TAKEN + line), len(TAKEN))
