"""`make observe` on a service with TLS and passwords: Prometheus is told how to get in."""

import shutil
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.e2e.host import Host
from tests.support.e2e.observed import Observed
from tests.support.e2e.peers import peer
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
    observed = Observed.on_free_ports(
        host,
        WINDOW="5s",
        USER="ann",
        PASSWORD_FILE=str(password),
        CA_FILE=str(folder / "cert.pem"),
    )
    try:
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        assert Prometheus(observed.prometheus_port).value("xenprof_up") == 1
    finally:
        observed.run("down")
        host.close()
