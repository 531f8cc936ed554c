"""What a service has sampled is in the files after a signal has ended it."""

import signal
import subprocess

import pytest

from hypervisor.telemetry import HostSnapshot
from tests.support.e2e.foreground import serve_tiny
from tests.support.e2e.host import PATIENCE_SECONDS, VMLINUX, XEN, environment, shell
from tests.support.paths import ROOT
from xenprof.client import Client
from xenprof.home import domain_root
from xenprof.store.sessiondir import read_profile
from xenprof.wire.host_requests import Wait
from xenprof.wire.paths import SNAPSHOT


def stored(home):
    session = domain_root(home, "Domain-0") / "var/lib/oprofile"
    return sum(file.total for file in read_profile(session, "current").files)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_everything_sampled_is_written(tmp_path, number):
    home = tmp_path / "home"
    process, _ = serve_tiny(home)
    events = "--event=GLOBAL_POWER_EVENTS:100000:1"
    started = shell(home, f"opcontrol --start --vmlinux={VMLINUX} --xen={XEN} {events}")
    assert started.returncode == 0, started.stderr
    client = Client(home, PATIENCE_SECONDS)
    client.do(Wait(1.0))
    counted = sum(row.samples for row in client.get(SNAPSHOT, HostSnapshot).samples)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert 0 < counted <= stored(home)


def test_an_interrupted_profile_says_where_its_samples_are(tmp_path):
    home = tmp_path / "home"
    service, _ = serve_tiny(home)
    process = subprocess.Popen(
        ["xenprof", "profile", "--for", "1h"],
        cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stderr is not None
    while not process.stderr.readline().startswith("profiling"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert "note: xenprof report has the samples so far" in errors.splitlines()
