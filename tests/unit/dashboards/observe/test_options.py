import re
import subprocess
import sys
from pathlib import Path

import pytest

from dashboards.observe.__main__ import main
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--webhook", "javascript:x"], "begin with http:// or https://"),
        (["--webhook", "notaurl"], "begin with http:// or https://"),
        (["--metrics-path", "http://evil/"], "is not the path of a URL"),
        (["--metrics-path", ""], "is not the path of a URL"),
        (["--prometheus-port", "9", "--alertmanager-port", "9"], "need two ports"),
        (["--prometheus-port", "70000"], "70000 is not in the range"),
        (["--window", "1000000h"], "a window is at least 5s and at most 24h"),
        (["--user", "a\nb", "--password-file", "/etc/hostname"], "a user's name"),
        (["--cert-file", "/etc/hostname"], "a certificate needs its key"),
        (["--web-config", "/dev/null"], "is not a regular file"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_at_once(
    tmp_path: Path, words: list[str], message: str
):
    done = subprocess.run(
        [sys.executable, "-m", "dashboards.observe", "up", "--state-dir", str(tmp_path), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0 and message in done.stderr


def test_each_setting_is_in_the_table_of_the_document():
    document = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    settings = {option.envvar for option in main.commands["up"].params if option.envvar}

    assert settings == set(re.findall(r"^\| `(OBSERVE_\w+)`", document, re.MULTILINE))
