"""A running service on a HOME of its own, and a shell beside it with the programs on PATH."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from hypervisor.telemetry import HostSnapshot
from tests.support.paths import ROOT
from xenprof.client import Client
from xenprof.home import domain_root
from xenprof.store.sessiondir import read_profile
from xenprof.wire.host_requests import Wait
from xenprof.wire.opcontrol import Value
from xenprof.wire.paths import SNAPSHOT, domain_path

PROGRAMS = Path(sys.executable).parent
DEBUG = "/usr/lib/debug"
VMLINUX = f"{DEBUG}/lib/modules/2.6.18-8.el5xen/vmlinux"
XEN = f"{DEBUG}/boot/xen-syms-2.6.18-8.el5.debug"
PATIENCE_SECONDS = 120
# What a program that is started from a shell does not find: settings of a host of the reader, and
# those that `make test` hands to a make below it (GNU make, "Communicating Options to a Sub-make").
NOT_KEPT = ("XENPROF_", "MAKE", "MFLAGS")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a shell in which HOME is `home`, whatever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_KEPT)}
    path = os.pathsep.join([str(PROGRAMS), kept.get("PATH", "")])
    return {**kept, "PATH": path, "XENPROF_HOME": str(home), "LC_ALL": "C.UTF-8"}


def shell(home: Path, text: str, *, domain: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `text` as typed into a shell, in `domain` if given."""
    variables = environment(home) | ({"XENPROF_DOMAIN": domain} if domain else {})
    return subprocess.run(
        ["bash", "-c", text],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


class Host:
    """A service in the background; `close` stops it."""

    def __init__(self, home: Path, *options: str) -> None:
        """Start the service. `options` are those of `xenprof serve`."""
        self.home = home
        self.client = Client(home, PATIENCE_SECONDS)
        started = self.run(
            f"xenprof serve --background --web.listen-address 127.0.0.1:0 {' '.join(options)}"
        )
        assert started.returncode == 0, started.stderr
        self.url = started.stdout.split()[-1]

    def run(self, text: str, domain: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `text` as typed into a shell, in `domain` if given."""
        return shell(self.home, text, domain=domain)

    def wait(self, seconds: float) -> None:
        """Let model time pass."""
        self.client.do(Wait(seconds))

    def xenoprof(self) -> Mapping[str, int]:
        """Return the hypervisor's sample counters."""
        counters = self.client.get(SNAPSHOT, HostSnapshot).xenoprof
        assert counters is not None
        return asdict(counters)

    def lost(self) -> dict[tuple[str, str], int]:
        """Return the samples lost, by domain and reason."""
        lost = self.client.get(SNAPSHOT, HostSnapshot).lost
        return {(row.domain, row.reason): row.samples for row in lost}

    def unread(self, domain: str) -> int:
        """Return the samples left in the rings between the hypervisor and a domain."""
        return int(self.client.get(domain_path(domain, "oprofilefs", "unread"), Value).value)

    def session(self, domain: str) -> Path:
        """Return the session directory of a domain."""
        return domain_root(self.home, domain) / "var/lib/oprofile"

    def stored(self, domain: str) -> int:
        """Return the samples in the files of a domain's current session."""
        return sum(file.total for file in read_profile(self.session(domain), "current").files)

    def close(self) -> None:
        """Stop the service."""
        self.run("xenprof stop")
