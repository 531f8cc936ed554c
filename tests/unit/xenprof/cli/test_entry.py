import os
import signal
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import pytest

from tests.support.paths import ROOT
from xenprof.cli import entry

_UNDER = """
import signal, sys
pressed_at = sys.argv[1]
class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == pressed_at:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Pressing())
from xenprof.cli.entry import {0}
sys.argv = ["{0}", "--help"]
sys.exit({0}())
"""


@pytest.fixture
def pressing(monkeypatch):
    """Return a function that makes a program press Ctrl-C, and then raise an error."""

    def program(error):
        def main():
            signal.raise_signal(signal.SIGINT)

        def caught():
            try:
                main()
            except KeyboardInterrupt:
                raise error from None

        monkeypatch.setitem(sys.modules, "xenprof.cli.pressed", SimpleNamespace(main=caught))
        before = signal.getsignal(signal.SIGINT)
        monkeypatch.setattr(signal, "default_int_handler", before)
        try:
            return entry._run("pressed")
        finally:
            signal.signal(signal.SIGINT, before)

    return program


def test_ctrl_c_that_a_library_tells_as_another_error_is_ctrl_c(pressing):
    assert pressing(ImportError("numpy")) == 130


@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("xenprof", "xenprof.cli.main"),
        ("xenprof", "click"),
        ("xm", "xenprof.cli.xm.program"),
        ("opcontrol", "xenprof.client"),
        ("opreport", "xenprof.cli.popt"),
    ],
)
def test_ctrl_c_while_a_program_is_imported_is_quiet(program, module):
    done = subprocess.run(
        [sys.executable, "-c", _UNDER.format(program), module],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_each_program_that_is_installed_is_an_entry_of_its_name():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts == {name: f"xenprof.cli.entry:{name}" for name in scripts}
    assert all(callable(getattr(entry, name)) for name in scripts)
