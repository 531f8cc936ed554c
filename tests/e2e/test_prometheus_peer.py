"""A real Prometheus scrapes the service's route and runs every query of the dashboards.

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
from dataclasses import dataclass, field, replace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboards.naming import otlp_expr
from dashboards.queries import QUERIES
from exporters.prometheus import create
from exporters.scrape.renderings import Form, Renderings
from hypervisor.telemetry import HostSnapshot
from tests.support.e2e.peers import WAIT_SECONDS, peer, until
from tests.support.e2e.prometheus_server import Prometheus, running_prometheus
from tests.support.loaded_host import loaded
from tests.support.otlp_names import otlp_text
from tests.support.paths import ROOT
from tests.support.snapshots import stats, without
from xenprof.service.counts import Counts
from xenprof.service.exporter import ExporterSettings, ServiceStats
from xenprof.service.journal import Journals

pytestmark = pytest.mark.peer

VARIABLES = {
    "host": ".+",
    "domain": ".+",
    "vcpu": ".+",
    "topn": "5",
    "__interval": "2s",
    "__rate_interval": "2s",
}
STEPS_PER_SECOND = 20
"""Snapshots per wall second. The host's clock advances one virtual second per step."""


@dataclass
class MovingSource:
    """A host that runs, and whose domains can be destroyed."""

    started: float = field(default_factory=time.monotonic)
    destroyed: str = ""
    saved: int = 0  # how often xend has saved a domain so far
    journals: Journals = field(default_factory=Journals)
    counts: Counts = field(default_factory=Counts)

    @property
    def is_ready(self) -> bool:
        return True

    def _step(self) -> int:
        return 1 + int((time.monotonic() - self.started) * STEPS_PER_SECOND)

    def snapshot(self) -> HostSnapshot:
        host = loaded(self._step())
        if self.saved:
            host = replace(host, events={**host.events, "saved": self.saved})
        return without(host, self.destroyed) if self.destroyed else host

    def snapshots(self) -> list[HostSnapshot]:
        return [self.snapshot()]

    def stats(self) -> ServiceStats:
        return stats(self._step())


@pytest.fixture(scope="module")
def source() -> MovingSource:
    return MovingSource()


@pytest.fixture(scope="module")
def prometheus(
    source: MovingSource, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    def by_otlp(_: Request) -> Response:
        return PlainTextResponse(otlp_text(source.snapshot(), source.stats()))

    routes = [*create(source, ExporterSettings()).routes, Route("/otlp", by_otlp)]
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        with running_prometheus(
            tmp_path_factory.mktemp("prometheus"), target, paths=("/metrics", "/otlp")
        ) as running:
            yield running
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def test_promtool_has_nothing_to_say():
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    renderings = Renderings(MovingSource())
    scrape = renderings.body(Form(openmetrics=False, zipped=False)).result(WAIT_SECONDS)
    renderings.close()
    checked = subprocess.run(
        [program, "check", "metrics"], input=scrape, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_promtool_accepts_the_shipped_configuration():
    program = peer(shutil.which("promtool"), "promtool (Debian package prometheus)")
    config = ROOT / "deploy" / "prometheus.yml"
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


@pytest.mark.parametrize("name", QUERIES)
def test_every_dashboard_query_has_data_by_otlp(prometheus: Prometheus, name: str):
    query = replace(QUERIES[name], expr=otlp_expr(QUERIES[name].expr))
    promql = query.filled(VARIABLES)
    assert until(lambda: prometheus.query(promql))


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
        ("cpu_by_domain_and_mode", {"domain": "ossvm02", "mode": "kernel"}, 0.15),
        ("disk_busy", {"domain": "ossvm02", "vbd": "xvda"}, 0.4),
        ("disk_wait", {"domain": "ossvm02", "vbd": "xvda"}, 0.008),
        ("swap_out", {"domain": "ossvm02"}, -10.0),
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


def test_uptime_is_told_by_the_hosts_clock(prometheus: Prometheus):
    uptime = QUERIES["domain_uptime"].filled({**VARIABLES, "domain": "ossvm02"})
    assert prometheus.value(f"{uptime} == on (host) xenprof_model_time_seconds_total") > 0


def test_the_first_event_of_a_kind_is_marked(prometheus: Prometheus, source: MovingSource):
    until(lambda: prometheus.query("xen_domain_vcpus_online"))
    source.saved = 1
    try:
        marked = until(lambda: saved(prometheus))
    finally:
        source.saved = 0
    assert marked == [1.0]


def test_the_wait_histogram_answers_quantiles(prometheus: Prometheus):
    promql = QUERIES["wait_p99_by_domain"].filled({**VARIABLES, "domain": "ossvm02"})
    assert 0.3 < prometheus.value(promql) <= 1.0


def test_openmetrics_was_what_prometheus_chose(prometheus: Prometheus):
    url = f"http://127.0.0.1:{prometheus.port}/api/v1/metadata?metric=xen_domain"

    def kinds() -> list[str]:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [row["type"] for rows in json.load(answer)["data"].values() for row in rows]

    prometheus.value('xenprof_up{job="xenprof"}')
    assert until(kinds) == ["info"]


def saved(prometheus: Prometheus) -> list[float]:
    result = prometheus.query(QUERIES["toolstack_events"].filled(VARIABLES))
    return [float(row["value"][1]) for row in result if row["metric"]["event"] == "saved"]


LEFT = '{domain="DesktopVM",__name__!="xenprof_samples_lost_total"}'


def test_series_of_a_destroyed_domain_end(prometheus: Prometheus, source: MovingSource):
    prometheus.value('xen_domain_info{domain="DesktopVM"}')
    source.destroyed = "DesktopVM"
    try:
        assert until(lambda: not prometheus.query(LEFT))
    finally:
        source.destroyed = ""
