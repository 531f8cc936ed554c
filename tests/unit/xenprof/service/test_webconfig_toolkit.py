"""Web configuration files are accepted and refused as the exporter toolkit does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.e2e.peers import peer
from tests.support.webconfigs import FILES, Written
from xenprof.errors import XenprofError
from xenprof.service.certificates import Certificates
from xenprof.service.webconfig import WebConfigFile


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("web"))


def is_accepted(file: Path) -> bool:
    try:
        config = WebConfigFile(file)
        if (tls := config.current().tls_server_config) is not None:
            Certificates(config, tls).context()
    except XenprofError as error:
        assert str(error).startswith(f"{file}: ") and "\n" not in str(error)
        return False
    return True


@pytest.mark.parametrize("written", FILES.values(), ids=FILES)
def test_a_file_is_accepted_or_refused_as_by_the_toolkit(folder, written: Written):
    file = folder / "web.yml"
    file.write_text(written.text)

    assert written.is_accepted_here == is_accepted(file)


KNOWN_TO_PROMTOOL = {
    name: written for name, written in FILES.items() if not written.is_younger_than_promtool
}


def test_the_table_says_what_promtool_says(folder):
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    said = {}
    for name, written in KNOWN_TO_PROMTOOL.items():
        file = folder / "checked.yml"
        file.write_text(written.text)
        command = [program, "check", "web-config", str(file)]
        said[name] = subprocess.run(command, capture_output=True, check=False).returncode == 0

    assert {name: written.is_accepted for name, written in KNOWN_TO_PROMTOOL.items()} == said
