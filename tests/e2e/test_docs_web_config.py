"""The web configuration that docs/serving.md makes from nothing lets in those whom it names."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from tests.support.e2e.host import Host
from tests.support.e2e.peers import until
from tests.support.paths import ROOT

PASSWORD = "secret"
HTPASSWD = f"""#!{sys.executable}
import bcrypt, sys
assert sys.argv[1:] == ["-nBC", "10", "ann"]
hashed = bcrypt.hashpw({PASSWORD!r}.encode(), bcrypt.gensalt(4)).decode()
print("ann:" + hashed.replace("$2b$", "$2y$") + "\\n")
"""
AGENT = ROOT / "tests/support/live/agent_on_fake.py"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """Return the folder in which the commands of the document were typed."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    document = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"^```\n(openssl .*?)^```$", document, re.MULTILINE | re.DOTALL)
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    (tmp_path / "htpasswd").chmod(0o700)
    subprocess.run(
        ["sh", "-eu", "-c", f'PATH="$PWD:$PATH"\n{typed}'],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (tmp_path / "password").write_text(f"ann:{PASSWORD}\n")
    return tmp_path


def test_a_user_is_made_without_htpasswd_too(tmp_path: Path):
    document = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"^```\n(user=.*?)^```$", document, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["sh", "-eu", "-c", typed.replace(".venv/bin/python", sys.executable) + 'echo "$user"'],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        input=f"{PASSWORD}\n",
        start_new_session=True,  # without a terminal the password is read from the input
        text=True,
    )
    name, _, hashed = done.stdout.strip().partition(": ")

    assert ("ann", True) == (name, bcrypt.checkpw(PASSWORD.encode(), hashed.encode()))


def test_a_service_reads_an_agent_that_is_guarded_by_it_and_is_guarded_itself(web: Path):
    agent = subprocess.Popen(
        [sys.executable, "-I", AGENT, ROOT, "2", "--web.listen-address", "127.0.0.1:0",
         "--web.config.file", web / "web.yml"],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert agent.stderr is not None
    url = agent.stderr.readline().split()[-1]
    assert url.startswith("https://127.0.0.1:")
    host = Host(
        web / "home", "--host", f"xen1=agent:{url}", "--host.ca-file", str(web / "web.crt"),
        "--host.password-file", str(web / "password"), "--web.config.file", str(web / "web.yml"),
    )  # fmt: skip
    try:
        curl = f"curl -s --cacert {web}/web.crt -u ann:{PASSWORD} {host.url}metrics"
        assert host.url.startswith("https://")
        assert until(lambda: 'xen_host_up{host="xen1"} 1' in host.run(curl).stdout)
    finally:
        host.close()
        agent.terminate()
        agent.communicate(timeout=30)
