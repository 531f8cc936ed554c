import os
import subprocess
import sys

import pytest

from tests.support.e2e.tiny import TINY
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def xenprof(tmp_path_factory):
    """Yield a function that runs `xenprof` against a service on the tiny host."""
    home = tmp_path_factory.mktemp("home")
    (home / "tiny.toml").write_text(TINY)
    environment = {**os.environ, "XENPROF_HOME": str(home)}

    def xenprof(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "xenprof.cli.main", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )

    started = xenprof("serve", "--background", "--scenario", str(home / "tiny.toml"),
                      "--web.listen-address", "127.0.0.1:0")  # fmt: skip
    assert started.returncode == 0, started.stderr
    yield xenprof
    xenprof("stop")
