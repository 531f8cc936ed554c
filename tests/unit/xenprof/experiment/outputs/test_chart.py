"""The picture of findings."""

import os
import subprocess
import sys
import warnings

import pytest

from tests.support.paths import ROOT
from tests.support.variants import SMALL, found_of, loaded
from xenprof.experiment.outputs.chart import as_svg


@pytest.mark.parametrize("name", [r"cost $\\foo$", "処理 time", "a_b^c", "<b>"])
def test_names_are_drawn_as_they_are_and_nothing_is_told(tmp_path, name):
    text = SMALL.replace('"ran"', f'"{name}"')
    found = found_of(loaded(tmp_path, text, seeds=1), {(0, 1): [[100.0]], (1, 1): [[50.0]]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = as_svg(found)

    shown = name.replace("\\\\", "\\").replace("<", "&lt;").replace(">", "&gt;")
    assert f">{shown} [%]</text>" in svg


DRAWN = """
import sys
from pathlib import Path
from tests.support.variants import found_small
from xenprof.experiment.outputs.chart import as_svg
as_svg(found_small(Path(sys.argv[1])))
"""


def test_a_backend_for_windows_has_no_say(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DRAWN, str(tmp_path)],
        cwd=ROOT, env=os.environ | {"MPLBACKEND": "foo"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
