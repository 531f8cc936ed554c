"""`make observe` with TLS and users on Prometheus' own page."""

import shutil
from pathlib import Path

import pytest

from dashboards.observe.guard import Guard
from dashboards.observe.page import Page
from tests.support.certificates import make_certificate
from tests.support.e2e.host import Host
from tests.support.e2e.observed import Observed
from tests.support.e2e.peers import peer, until
from tests.support.e2e.served import PASSWORD, configuration

ALERTS = "/api/v2/alerts"

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_a_page_with_tls_is_asked_how_scraping_goes_and_alerts_lead_to_it(tmp_path: Path):
    peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    peer(shutil.which("prometheus-alertmanager"), "Alertmanager (Debian package)")
    folder = make_certificate(tmp_path / "certificate")
    web = tmp_path / "web.yml"
    tls = f"cert_file: {folder / 'cert.pem'}, key_file: {folder / 'key.pem'}"
    web.write_text(f"{configuration()}tls_server_config: {{{tls}}}\n")
    host = Host(tmp_path / "home", "--scenario", "noisy")
    observed = Observed.on_free_ports(host, WINDOW="5s", WEB_CONFIG=str(web), METRICS_PATH="/no")
    try:
        refused = observed.run("up")
        assert refused.returncode == 1, refused.stderr
        assert refused.stderr.endswith("; set OBSERVE_METRICS_PATH\n")
        observed.variables = {"METRICS_PATH": "/metrics"}
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        assert "Prometheus runs, but" not in started.stderr
        alerts = Page(observed.alertmanager_port, guard=Guard({}, "ann", PASSWORD))
        page = f"https://127.0.0.1:{observed.prometheus_port}"
        assert f"Prometheus: {page}\n" in started.stdout
        assert until(lambda: f'"generatorURL":"{page}/graph?'.encode() in alerts.ask(ALERTS).body)
    finally:
        observed.run("down")
        host.close()


def test_a_webhook_that_is_taken_back_leaves_no_token(tmp_path: Path):
    peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    peer(shutil.which("prometheus-alertmanager"), "Alertmanager (Debian package)")
    web = tmp_path / "web.yml"
    web.write_text(configuration())
    host = Host(tmp_path / "home", "--scenario", "noisy")
    observed = Observed.on_free_ports(
        host, WINDOW="5s", WEB_CONFIG=str(web), WEBHOOK="http://127.0.0.1:9/?token=SECRET"
    )
    folder = host.home / "observe"
    try:
        assert observed.run("up").returncode == 0
        assert (folder / "webhook.url").exists()
        observed.variables = {"WEBHOOK": "", "WEB_CONFIG": ""}
        again = observed.run("up")
        assert again.returncode == 0, again.stderr
        written = {path.name for path in folder.iterdir() if path.is_file()}
        assert not {"webhook.url", "alertmanager-web.yml", "prometheus-web.yml"} & written
        assert "SECRET" not in "".join(path.read_text() for path in folder.glob("*.[yj]*"))
    finally:
        observed.run("down")
        host.close()
