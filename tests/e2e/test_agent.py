"""The agent as the one file that domain 0 gets, on real sockets and a host that is made up."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from hypervisor.live import packing
from hypervisor.live.reports import read_report
from hypervisor.live.sources.overhttp import OverHttp, on_unix
from tests.support.e2e.host import PATIENCE_SECONDS
from tests.support.e2e.peers import peer
from tests.support.e2e.prometheus_server import running_prometheus
from tests.support.paths import ROOT

FAKE = ROOT / "tests" / "support" / "live" / "agent_on_fake.py"
MOST_RESIDENT_KIB = 30 << 10
DOMAINS = 100
BY_PORT = ("--web.listen-address", "127.0.0.1:0")


def old_python() -> str | None:
    """Return a Python 3.6 that runs, if there is one: as pyenv keeps them, or on PATH."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob("3.6.*/bin/python3.6"))
    on_path = shutil.which("python3.6")  # perhaps a shim that stands for none
    for program in [*map(str, reversed(kept)), *([] if on_path is None else [on_path])]:
        if subprocess.run([program, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0:
            return program
    return None


@pytest.fixture(scope="module", params=["ours", "3.6"])
def python(request) -> str:
    if request.param == "ours":
        return sys.executable
    # No distribution has it any more, so that this is no failure in CI either.
    return old_python() or pytest.skip("no Python 3.6; vermin checks the code all the same")


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("dist") / "xenprof-agent.pyz"
    packing.main([str(path)])
    return path


@pytest.fixture
def command(python, file) -> list[str]:
    return [python, "-I", str(FAKE), str(file), str(DOMAINS)]


@contextlib.contextmanager
def running(command: list[str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run an agent inside the block; yield it, and where it says that it serves first."""
    process = subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        yield process, process.stderr.readline().split()[-1]
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)


def done(command: list[str], *options: str, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=PATIENCE_SECONDS, **more
    )


def test_its_metrics_are_read_by_the_library_of_prometheus(command):
    with running(command, *BY_PORT) as (_, url):
        page = requests.get(f"{url}metrics", timeout=PATIENCE_SECONDS)
    found = {family.name: family for family in text_string_to_metric_families(page.text)}

    assert "text/plain; version=0.0.4; charset=utf-8" == page.headers["content-type"]
    assert "gzip" == page.headers["content-encoding"]
    assert 2 * DOMAINS == len(found["xen_vcpu_capped_seconds"].samples)


def test_promtool_reads_its_metrics(command):
    promtool = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    with running(command, *BY_PORT) as (_, url):
        page = requests.get(f"{url}metrics", timeout=PATIENCE_SECONDS).text
    checked = done([promtool, "check", "metrics"], input=page)

    assert "error" not in checked.stderr.lower()


@pytest.mark.peer
def test_a_real_prometheus_scrapes_it(command, tmp_path):
    with (
        running(command, *BY_PORT) as (_, url),
        running_prometheus(tmp_path, url.split("/")[2]) as prometheus,
    ):
        assert DOMAINS == prometheus.value("count(xen_domain_info)")
        assert 1 == prometheus.value('up{job="xenprof"}')


def test_its_report_is_read_by_the_service(command, tmp_path):
    path = tmp_path / "agent.sock"
    with running(command, "--web.unix-socket", str(path)):
        source = OverHttp(on_unix(path), timeout_seconds=PATIENCE_SECONDS)
        report = source.read()
        source.close()

    assert (DOMAINS, "xen1") == (len(report.domains), report.host)


def test_it_ends_by_a_signal_and_takes_its_socket_with_it(command, tmp_path):
    path = tmp_path / "agent.sock"
    with running(command, "--web.unix-socket", str(path)) as (process, where):
        process.send_signal(signal.SIGTERM)

        assert (str(path), 0) == (where, process.wait(PATIENCE_SECONDS))
    assert not path.exists()


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_line_gets_a_report_as_a_line(command, lines):
    answered = done(command, "--pipe", input="report\n" * lines)
    reports = [read_report(line.encode()) for line in answered.stdout.splitlines()]

    assert [DOMAINS] * lines == [len(report.domains) for report in reports]


def test_one_report_can_be_had(command):
    assert {"host": "xen1"}.items() <= json.loads(done(command, "--once").stdout).items()


@pytest.mark.parametrize(
    ("ending", "code", "told"),
    [
        (">/dev/full", 1, "xenprof-agent: standard output: No space left on device\n"),
        (">&-", 0, ""),
        ("2>&- >/dev/full", 1, ""),
        ("<&- >/dev/null", 0, ""),
    ],
)
def test_an_output_that_cannot_be_written_is_told_in_a_line(command, ending, code, told):
    shell = done(["sh", "-c", f'exec "$@" {ending}', "sh", *command], "--once")

    assert (code, told) == (shell.returncode, shell.stderr)


def test_it_ends_quietly_when_nobody_reads(command):
    shell = done(["sh", "-c", '"$@" | head -c 1', "sh", *command], "--pipe", input="\n" * 50)

    assert ("{", "") == (shell.stdout, shell.stderr)


def test_a_check_says_whether_it_can_serve(command, file):
    good = done(command, "--check", *BY_PORT)
    bad = done([command[0], str(file)], "--check", *BY_PORT)

    assert (0, 1) == (good.returncode, bad.returncode)
    assert "FATAL    hypervisor: /dev/xen/privcmd: does not exist" in bad.stdout


def test_it_keeps_no_capability(command):
    with running(command, *BY_PORT) as (process, _):
        status = Path(f"/proc/{process.pid}/status").read_text()
    words = [line.split() for line in status.splitlines()]

    assert {"0" * 16} == {word[1] for word in words if word[0].startswith("Cap")}
    assert "1" == next(word[1] for word in words if word[0] == "NoNewPrivs:")


def test_it_stays_small_with_a_hundred_domains(command):
    with running(command, *BY_PORT) as (process, url):
        for path in ("metrics", "api/v1/report") * 3:
            requests.get(f"{url}{path}", timeout=PATIENCE_SECONDS)
        status = Path(f"/proc/{process.pid}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))

    assert int(resident) < MOST_RESIDENT_KIB


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--web.listen-address", "0.0.0.0:0"], "can be reached from outside"),
        (["--web.config.file", "/nowhere.yml"], "/nowhere.yml: No such file or directory"),
        (["--sample-hz", "1000"], "argument --sample-hz"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(command, options, told):
    refused = done(command, *options)

    assert (2, 1) == (refused.returncode, refused.stderr.count("\n"))
    assert told in refused.stderr


def test_systemd_is_told_that_it_is_ready(command, tmp_path):
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(PATIENCE_SECONDS)
        with running(["env", f"NOTIFY_SOCKET={address}", *command], *BY_PORT) as (process, _):
            ready = listener.recv(100)
            process.send_signal(signal.SIGTERM)

            assert (b"READY=1", b"STOPPING=1") == (ready, listener.recv(100))


def test_the_product_has_the_same_agent():
    ours = done([sys.executable, "-m", "xenprof.cli.main", "agent", "--help"], cwd=ROOT)

    assert (0, True) == (ours.returncode, "--web.unix-socket PATH" in ours.stdout)


UNIT = ROOT / "deploy" / "systemd" / "xenprof-agent.service"


@pytest.mark.parametrize(
    "arguments", [["verify"], ["security", "--offline=true", "--threshold=30"]], ids=lambda a: a[0]
)
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path, arguments):
    program = peer(shutil.which("systemd-analyze"), "systemd-analyze (Debian package systemd)")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/usr/bin/python3", shutil.which("true") or ""))
    said = done([program, *arguments, str(copy)], env={**os.environ, "SYSTEMD_COLORS": "0"})

    assert (0, "") == (said.returncode, said.stderr), said.stdout
