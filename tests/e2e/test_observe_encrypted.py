"""`make observe` on a service with TLS and passwords: Prometheus is told how to get in."""

import http.client
import shutil
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.e2e.host import Host
from tests.support.e2e.observed import Observed
from tests.support.e2e.peers import peer, until
from tests.support.e2e.prometheus_server import Prometheus
from tests.support.e2e.served import PASSWORD, configuration

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_a_service_with_tls_and_passwords_is_scraped(tmp_path: Path):
    peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    peer(shutil.which("prometheus-alertmanager"), "Alertmanager (Debian package)")
    folder = make_certificate(tmp_path / "certificate")
    web, password = tmp_path / "web.yml", tmp_path / "password"
    tls = f"cert_file: {folder / 'cert.pem'}, key_file: {folder / 'key.pem'}"
    web.write_text(f"{configuration()}tls_server_config: {{{tls}}}\n")
    password.write_text(PASSWORD)
    host = Host(tmp_path / "home", "--scenario", "noisy", "--web.config.file", str(web))
    observed = Observed.on_free_ports(host, WINDOW="5s")
    try:
        for missing, given in (
            ("OBSERVE_CA_FILE", {"CA_FILE": str(folder / "cert.pem")}),
            ("OBSERVE_USER and OBSERVE_PASSWORD_FILE", {}),
        ):
            refused = observed.run("up")
            assert refused.returncode == 1
            assert f"cannot scrape {host.url}metrics: " in refused.stderr
            assert refused.stderr.endswith(f"; set {missing}\n")
            observed.variables = given  # the window is kept, and this one the next time
        observed.variables = {"USER": "ann", "PASSWORD_FILE": str(password)}
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        assert (
            f"observe: settings as before: OBSERVE_WINDOW=5s OBSERVE_CA_FILE={folder}/cert.pem; "
            "make down forgets them\n"
        ) == started.stderr
        assert Prometheus(observed.prometheus_port).value("xenprof_up") == 1
    finally:
        observed.run("down")
        host.close()


def test_the_pages_ask_for_passwords_and_alerts_arrive_nevertheless(tmp_path: Path):
    peer(shutil.which("prometheus"), "Prometheus (Debian package prometheus)")
    peer(shutil.which("prometheus-alertmanager"), "Alertmanager (Debian package)")
    web = tmp_path / "web.yml"
    web.write_text(configuration())
    host = Host(tmp_path / "home", "--scenario", "noisy")
    observed = Observed.on_free_ports(
        host, WINDOW="5s", WEB_CONFIG=str(web), WEBHOOK="http://127.0.0.1:9/?token=SECRET"
    )
    try:
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        port = observed.alertmanager_port
        assert (401, b"Unauthorized\n") == asked(port, "/api/v2/status", "")
        assert until(lambda: b"XenNoisy" in asked(port, "/api/v2/alerts", f"ann:{PASSWORD}")[1])
        again = observed.run("up")
        assert again.returncode == 0, again.stderr
    finally:
        observed.run("down")
        host.close()


def asked(port: int, path: str, known: str) -> tuple[int, bytes]:
    """Return status and body of an answer to a user with a password."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    basic = {"Authorization": "Basic " + b64encode(known.encode()).decode()} if known else {}
    connection.request("GET", path, headers=basic)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()
