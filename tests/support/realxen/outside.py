"""An agent in domain 0 that this machine may ask: behind the forwarded port, by TLS and password."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TypeVar

import requests

from hypervisor.live.agent.report.fields import DomainReport, HostReport
from hypervisor.live.packing import packed
from hypervisor.live.sources.overhttp import OverHttp, on_tcp
from hypervisor.live.sources.source import Unreachable
from tests.support.certificates import make_certificate
from tests.support.e2e.served import PASSWORD, configuration
from tests.support.realxen.machine import Machine
from tests.support.webconfigs import TLS

Found = TypeVar("Found")

FILE = "/srv/xenprof-agent.pyz"
SOCKET = "/run/xenprof-agent.sock"
USER = "ann"
_LOG, _PID, _CONFIG = "/root/agent.log", "/root/agent.pid", "/root/web.yml"
_ADDRESS = "10.0.2.15:10032"
_PATIENCE_SECONDS = 240
_ASK_EVERY_SECONDS = 0.3
_ANSWER_SECONDS = 60


class OutsideAgent:
    """The agent of a machine. It polls when it is asked, at most every second."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        """`folder` gets the certificate and the password."""
        self._machine = machine
        self.url = f"https://127.0.0.1:{machine.forwarded_port}"
        self.certificate = make_certificate(folder) / "cert.pem"
        self.password_file = folder / "password"
        self.password_file.write_text(f"{USER}:{PASSWORD}\n")
        machine.put(packed("1.0"), FILE)
        machine.put(self.certificate.read_bytes(), "/root/cert.pem")
        machine.put((folder / "key.pem").read_bytes(), "/root/key.pem")
        machine.put((TLS + configuration()).encode(), _CONFIG)
        tls = ssl.create_default_context(cafile=str(self.certificate))
        self._source = OverHttp(
            on_tcp("127.0.0.1", machine.forwarded_port, tls),
            password=f"{USER}:{PASSWORD}", timeout_seconds=_ANSWER_SECONDS,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._machine.run(
            f"setsid python3 -I {FILE} --web.listen-address {_ADDRESS} --web.config.file {_CONFIG}"
            f" --web.unix-socket {SOCKET} --sample-hz 20"
            f" >{_LOG} 2>&1 </dev/null & echo $! >{_PID}"
        )
        self.until(self._answers)

    @property
    def pid(self) -> str:
        """Return the number of its process in domain 0."""
        return self._machine.run(f"cat {_PID}").strip()

    @property
    def log(self) -> str:
        """Return what it has told."""
        return self._machine.run(f"cat {_LOG}")

    def end(self, signal: str = "TERM") -> None:
        """End it by a signal, and wait until it has ended."""
        self._source.close()
        pid = self.pid
        self._machine.run(f"kill -{signal} {pid}; while [ -d /proc/{pid} ]; do sleep 0.1; done")

    def report(self) -> HostReport:
        """Return a report. Raises: Unreachable."""
        return self._source.read()

    def new_report(self) -> HostReport:
        """Return the next report whose poll has not begun yet. Raises: Unreachable."""
        serial = self.report().serial
        report = self.until(lambda: self._after(serial))
        assert report is not None
        return report

    def domain(self, name: str) -> DomainReport | None:
        """Return a domain as the next poll finds it; None if there is none of this name."""
        return {one.name: one for one in self.new_report().domains}.get(name)

    def page(self) -> str:
        """Return the page of metrics."""
        answer = requests.get(
            f"{self.url}/metrics", auth=(USER, PASSWORD), verify=str(self.certificate),
            timeout=_ANSWER_SECONDS,
        )  # fmt: skip
        answer.raise_for_status()
        return answer.text

    def until(self, ask: Callable[[], Found]) -> Found:
        """Ask until the answer is true, for some minutes; return the last answer."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (answer := ask()) and time.monotonic() < deadline:
            Event().wait(_ASK_EVERY_SECONDS)
        return answer

    def _after(self, serial: int) -> HostReport | None:
        report = self.report()
        return report if report.serial > serial else None

    def _answers(self) -> bool:
        try:
            self.report()
        except Unreachable:
            return False
        return True
