"""Settings of `make observe`, and what is written by them."""

from pathlib import Path
from typing import Any

import yaml

from dashboards.observe.configs import configs
from dashboards.observe.settings import Access, ObserveSettings
from dashboards.rules.rule import Pace

SETTINGS = ObserveSettings(
    home=Path("/state"),
    prometheus_port=9090,
    alertmanager_port=9093,
    pace=Pace(),
    metrics_path="/metrics",
    access=Access(),
)
URL = "http://127.0.0.1:10031/"


def written(settings: ObserveSettings, url: str = URL, name: str = "prometheus.yml") -> Any:
    return yaml.safe_load(configs(settings, url)[name])
