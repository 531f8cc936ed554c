"""The programs against a service whose host offers telemetry and nothing else."""

import subprocess
import sys

import pytest

from tests.support.e2e.host import shell
from tests.support.paths import ROOT

NO_TOOLSTACK = "xenprof only watches this host: its own toolstack manages its domains"
NOT_TOLD = "xenprof only watches this host: its own toolstack tells what is asked"
NO_PROFILER = (
    "xenprof only watches this host; to profile it, type in its domain 0: "
    "xenprof record, or python3 xenprof-agent.pyz contexts FILE"
)
NO_TRACER = (
    "xenprof only watches this host; to trace it, type in its domain 0: "
    "python3 xenprof-agent.pyz trace FILE"
)
PROGRAM = [sys.executable, "-m", "tests.support.e2e.fake_service"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    process = subprocess.Popen(
        [*PROGRAM, str(home), "127.0.0.1:0", "", "toolstack", "profiler", "tracer"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it prints its URL when it answers
    yield home
    process.terminate()
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("xm pause ossvm02", f"Error: {NO_TOOLSTACK}; in its domain 0: xl pause ossvm02"),
        ("echo uptime | xm console ossvm02", NO_TOOLSTACK),
        ("xm console ossvm02 </dev/null", NO_TOOLSTACK),
        ("xm dmesg", f"Error: {NOT_TOLD}; in its domain 0: xl dmesg"),
        ("xm log", f"Error: {NOT_TOLD}; in its domain 0: tail /var/log/xen/xl-*.log"),
        ("xm list -l", f"Error: {NOT_TOLD}; in its domain 0: xl list -l"),
        ("xm network-list ossvm02", f"Error: {NOT_TOLD}; in its domain 0: xl network-list ossvm02"),
        ("xm block-list ossvm02", f"Error: {NOT_TOLD}; in its domain 0: xl block-list ossvm02"),
        ("xenprof virsh suspend ossvm02", f"error: {NO_TOOLSTACK}"),
        ("xenprof virsh dumpxml ossvm02", f"error: {NOT_TOLD}"),
        ("opcontrol --start-daemon --no-vmlinux", NO_PROFILER),
        ("opcontrol --status", NO_PROFILER),
        ("xenprof profile --event GLOBAL_POWER_EVENTS:100000 --for 1s", f"xenprof: {NO_PROFILER}"),
        ("xenprof trace - | cat; exit ${PIPESTATUS[0]}", f"xenprof: {NO_TRACER}"),
    ],
)
def test_a_command_of_what_is_missing_fails_in_one_line_that_names_it(home, command, line):
    done = shell(home, command)

    assert (done.returncode, done.stdout.strip(), done.stderr) == (1, "", f"{line}\n")


def test_xm_list_shows_what_the_telemetry_tells(home):
    done = shell(home, "xm list")

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "Name", "DesktopVM", "Domain-0", "ossvm02", "r5b2-mySQL01", "rhel5pvtest",
    ]  # fmt: skip


def test_xm_info_shows_what_the_telemetry_tells(home):
    done = shell(home, "xm info")

    assert (done.returncode, done.stderr) == (0, "")
    assert {"host": "fake", "xen_version": "3.0.3"}.items() <= {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in done.stdout.splitlines())
    }.items()
