"""A real Prometheus scrapes our route and runs every query of the dashboards.

The host is hand-made and moves at twice the wall's speed; `xenprof serve` is not needed here.
"""

import json
import math
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from dashboards.queries import QUERIES
from exporters.prometheus import create
from hypervisor.telemetry import HostSnapshot
from tests.e2e.peers import free_port, peer, until
from tests.unit.snapshots import grumble, stats, without
from xenprof.service.exporter import ExporterSettings, ServiceStats

pytestmark = pytest.mark.peer

VARIABLES = {"host": ".*", "domain": ".*", "__rate_interval": "2s"}
STEPS_PER_SECOND = 20
"""Snapshots a wall second. The host's clock goes one virtual second a step."""

CONFIG = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms}
scrape_configs:
- job_name: xenprof
  static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


@dataclass
class MovingSource:
    """A host that runs, and from which a domain can be destroyed."""

    started: float = field(default_factory=time.monotonic)
    destroyed: str = ""

    def _step(self) -> int:
        return 1 + int((time.monotonic() - self.started) * STEPS_PER_SECOND)

    def snapshot(self) -> HostSnapshot:
        host = grumble(self._step())
        return without(host, self.destroyed) if self.destroyed else host

    def stats(self) -> ServiceStats:
        return stats(self._step())


@dataclass
class Prometheus:
    """A running server and the source that it scrapes."""

    port: int
    source: MovingSource

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
        """Return the one value of a query, as soon as there is one."""
        (series,) = until(lambda: self.query(promql))
        return float(series["value"][1])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    program = peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    directory = tmp_path_factory.mktemp("prometheus")
    source = MovingSource()
    app = Starlette(routes=list(create(source, ExporterSettings()).routes))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    config = directory / "prometheus.yml"
    config.write_text(CONFIG % listener.getsockname()[1], encoding="utf-8")
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
        running = Prometheus(port, source)
        assert until(running.ready), (directory / "log").read_text(encoding="utf-8")
        yield running
    finally:
        process.terminate()
        process.wait(30)
        server.should_exit = True
        thread.join(30)
        listener.close()


def test_promtool_has_nothing_to_say():
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    scrape = create(MovingSource(), ExporterSettings()).body(openmetrics=False, zipped=False)
    checked = subprocess.run(
        [program, "check", "metrics"], input=scrape, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_promtool_accepts_the_shipped_configuration():
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    config = Path(__file__).parents[2] / "deploy" / "prometheus.yml"
    checked = subprocess.run(
        [program, "check", "config", str(config)], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr.decode()


def test_the_scrape_succeeds(prometheus: Prometheus):
    assert prometheus.value('up{job="xenprof"} == 1') == 1


@pytest.mark.parametrize("name", QUERIES)
def test_every_dashboard_query_has_data(prometheus: Prometheus, name: str):
    promql = QUERIES[name].filled(VARIABLES)
    result = until(lambda: prometheus.query(promql))
    assert result
    assert all(math.isfinite(float(series["value"][1])) for series in result)


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("cpu_by_domain", {"domain": "ossvm02"}, 0.6),
        ("steal_by_domain", {"domain": "ossvm02"}, 0.2),
        ("cpu_by_mode", {"mode": "kernel"}, 0.15),
        ("domain0_by_beneficiary", {"on_behalf_of": "rhel5pvtest"}, 0.05),
        ("network_receive", {"domain": "rhel5pvtest"}, 12e6),
        ("disk_write_operations", {"domain": "DesktopVM"}, -25.0),
        ("samples_by_outcome", {"outcome": "passive"}, 200.0),
    ],
)
def test_rates_are_per_virtual_second(
    prometheus: Prometheus, name: str, labels: dict[str, str], expected: float
):
    promql = QUERIES[name].filled(VARIABLES)
    result = until(lambda: prometheus.query(promql))
    (value,) = [
        float(series["value"][1]) for series in result if labels.items() <= series["metric"].items()
    ]
    assert value == pytest.approx(expected, rel=0.05)


def test_the_wait_histogram_answers_quantiles(prometheus: Prometheus):
    promql = QUERIES["wait_p99_by_domain"].filled({**VARIABLES, "domain": "ossvm02"})
    assert 0.3 < prometheus.value(promql) <= 1.0


def test_openmetrics_was_what_prometheus_chose(prometheus: Prometheus):
    url = f"http://127.0.0.1:{prometheus.port}/api/v1/metadata?metric=xen_domain"

    def kinds() -> list[str]:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [row["type"] for rows in json.load(answer)["data"].values() for row in rows]

    prometheus.value("xenprof_up")
    assert until(kinds) == ["info"]


def test_series_of_a_destroyed_domain_end(prometheus: Prometheus):
    prometheus.value('xen_domain_info{domain="DesktopVM"}')
    prometheus.source.destroyed = "DesktopVM"
    try:
        assert until(lambda: not prometheus.query('{domain="DesktopVM"}'))
    finally:
        prometheus.source.destroyed = ""
