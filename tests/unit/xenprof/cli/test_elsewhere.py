import subprocess
import sys

import pytest

from xenprof.cli import elsewhere


@pytest.mark.parametrize("name", ["operf", "ocount"])
def test_a_program_that_cannot_work_says_what_to_use(name, capsys) -> None:
    code = getattr(elsewhere, f"{name}_main")(["--help"])
    out, err = capsys.readouterr()
    assert (1, "", 1) == (code, out, err.count("\n"))


@pytest.mark.parametrize("program", ["opannotate", "opgprof", "oparchive", "opimport"])
def test_help_comes_without_large_imports(program: str) -> None:
    code = f"import sys; from xenprof.cli.{program} import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "starlette", "click", "rich", "elftools", "capstone"}
    assert set() == heavy & set(done.stderr.split())
