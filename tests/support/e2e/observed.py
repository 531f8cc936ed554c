"""Watches a running service as `make observe` does, on ports of the test's own."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.support.e2e.host import PATIENCE_SECONDS, Host, environment
from tests.support.e2e.peers import free_port
from tests.support.paths import ROOT


@dataclass
class Observed:
    """Prometheus and Alertmanager of a host; `variables` are OBSERVE_... without that prefix."""

    host: Host
    prometheus_port: int
    alertmanager_port: int
    variables: dict[str, str]

    @classmethod
    def on_free_ports(cls, host: Host, **variables: str) -> "Observed":
        return cls(host, free_port(), free_port(), variables)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m dashboards.observe WORDS`."""
        chosen = {
            "PROMETHEUS_PORT": str(self.prometheus_port),
            "ALERTMANAGER_PORT": str(self.alertmanager_port),
            **self.variables,
        }
        return subprocess.run(
            [sys.executable, "-m", "dashboards.observe", *words],
            cwd=ROOT,
            env={
                **environment(self.host.home),
                **{f"OBSERVE_{name}": value for name, value in chosen.items()},
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def rules(self) -> list[dict[str, Any]]:
        """Return what Prometheus tells of every rule."""
        groups = _json(self.prometheus_port, "/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def alerts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the alerts that Alertmanager has, by name and domain."""
        return {
            (one["labels"]["alertname"], one["labels"].get("domain", "")): one
            for one in _json(self.alertmanager_port, "/api/v2/alerts")
        }

    def pid(self, name: str) -> int:
        """Return the process id that is noted for a server."""
        return int((self.host.home / "observe" / f"{name}.pid").read_text(encoding="utf-8"))

    def config(self, name: str) -> str:
        """Return the configuration of a server."""
        return (self.host.home / "observe" / f"{name}.yml").read_text(encoding="utf-8")


def _json(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)
