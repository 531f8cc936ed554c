"""Runs the measured programs as processes of their own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
_TICKS = os.sysconf("SC_CLK_TCK")


def program(name: str) -> str:
    """Return the path of a program installed in this environment."""
    return str(Path(sys.executable).with_name(name))


def _environment(**more: str) -> dict[str, str]:
    """Return the environment of a user, in which compiled bytecode is kept."""
    kept = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    return kept | more


def run_quietly(*arguments: str, **environment: str) -> None:
    """Run a program to its end. Raises: CalledProcessError when it fails."""
    subprocess.run(
        arguments,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(**environment),
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """A running `xenprof serve`."""

    pid: int
    home: Path
    address: str  # host:port

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, by all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        """Return the memory in use."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def serving(*options: str, settle_seconds: float = 3.0) -> Iterator[Serving]:
    """Run `xenprof serve` on a fresh home and a free port; yield after it has settled."""
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        process = subprocess.Popen(
            [
                program("xenprof"), "serve", "--web.listen-address", "127.0.0.1:0",
                "--state-dir", folder, *options,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment(),
        )  # fmt: skip
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]  # printed when it listens
            sleep(settle_seconds)
            yield Serving(process.pid, Path(folder), urlsplit(url).netloc)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
