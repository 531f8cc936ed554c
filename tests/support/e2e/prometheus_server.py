"""Runs a real Prometheus that scrapes one target, at one path or at several, and queries it."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.e2e.peers import free_port, peer, until

CONFIG = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms}
scrape_configs:
"""
JOB = """
- job_name: %s
  metrics_path: %s
  static_configs: [{targets: ["%s"]}]
"""


@dataclass
class Prometheus:
    """A running server."""

    port: int

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Return the result vector of an instant query."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode(
            {"query": promql}
        )
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(error.read().decode()) from None
        return result

    def ready(self) -> bool:
        """Return whether the server has started."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10):
                return True
        except urllib.error.HTTPError as starting:
            starting.close()
        except OSError:
            pass
        return False

    def value(self, promql: str) -> float:
        """Return the only value of a query as soon as there is one."""
        (series,) = until(lambda: self.query(promql))
        return float(series["value"][1])


@contextmanager
def running_prometheus(
    directory: Path, target: str, paths: Sequence[str] = ("/metrics",), *, more: str = ""
) -> Iterator[Prometheus]:
    """Scrape `target` (host:port) from a server that keeps its data in `directory`.

    The first of `paths` is the job xenprof, another one is a job of its name. `more` are lines of
    YAML for each job.
    """
    program = peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    config = directory / "prometheus.yml"
    names = ("xenprof", *(path.strip("/") for path in paths[1:]))
    jobs = [JOB % (name, path, target) + more for name, path in zip(names, paths, strict=True)]
    config.write_text(CONFIG + "".join(jobs), encoding="utf-8")
    port = free_port()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = Prometheus(port)
        assert until(running.ready), (directory / "log").read_text(encoding="utf-8")
        yield running
    finally:
        process.terminate()
        process.wait(30)
