"""Writes the configurations of Prometheus and Alertmanager for a running service."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import yaml

from dashboards.observe.guard import Guard, Webhook
from dashboards.observe.settings import Access, ObserveSettings
from dashboards.rules.files import rule_files
from dashboards.rules.rule import Pace

Tree: TypeAlias = "str | int | list[Tree] | dict[str, Tree]"

ALERTMANAGER_WEB = "alertmanager-web.yml"
"""The file with the users of Alertmanager, if it is guarded."""

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_SCRAPES_PER_WINDOW = 60  # a scrape every 5 s as the rules are written
_SHORTEST_SCRAPE_MS = 500  # twice the time between two snapshots of the service is enough
_WORSE_HIDES = (
    ("XenDomainStarved", "XenStealHigh|XenStealSustained"),
    ("XenStealHigh", "XenStealSustained"),
)


def configs(settings: ObserveSettings, url: str, guard: Guard | None = None) -> Mapping[str, str]:
    """Return every file that the servers read, by its path below the folder of observing.

    `url` is the address of the service. Without a guard everybody gets at Alertmanager.
    """
    files = rule_files(settings.pace, settings.runbooks)
    rules = {f"rules/{name}": text for name, text in files.items()}
    return {
        **rules,
        "prometheus.yml": _text(_prometheus(settings, url, guard)),
        "alertmanager.yml": _text(_alertmanager(settings)),
        **({ALERTMANAGER_WEB: _text({"basic_auth_users": dict(guard.users)})} if guard else {}),
    }


def _prometheus(settings: ObserveSettings, url: str, guard: Guard | None) -> Tree:
    every = f"{_scrape_ms(settings.pace)}ms"
    alertmanager: dict[str, Tree] = {
        "static_configs": [{"targets": [f"127.0.0.1:{settings.alertmanager_port}"]}]
    }
    if guard is not None:
        alertmanager["basic_auth"] = {"username": guard.user, "password": guard.password}
    return {
        "global": {
            "scrape_interval": every,
            "scrape_timeout": every,
            "evaluation_interval": every,
        },
        "rule_files": [f"{_as_pattern(settings.folder)}/rules/*.yml"],
        "alerting": {"alertmanagers": [alertmanager]},
        "scrape_configs": [_job(settings, url)],
    }


def _job(settings: ObserveSettings, url: str) -> Tree:
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    shown = _WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
    return {
        "job_name": "xenprof",
        "scheme": parts.scheme,
        "metrics_path": settings.metrics_path,
        **_access(settings.access),
        "static_configs": [{"targets": [f"{shown}:{parts.port or 443}"]}],
    }


def _access(access: Access) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    if access.user is not None and access.password_file is not None:
        found["basic_auth"] = {
            "username": access.user,
            "password_file": _absolute(access.password_file),
        }
    files = {"ca_file": access.ca_file, "cert_file": access.cert_file, "key_file": access.key_file}
    tls: dict[str, Tree] = {name: _absolute(path) for name, path in files.items() if path}
    if tls:
        found["tls_config"] = tls
    return found


def _alertmanager(settings: ObserveSettings) -> Tree:
    """Return a configuration that groups alerts by host; the page shows them, and a webhook."""
    receiver: dict[str, Tree] = {"name": "page"}
    if settings.webhook is not None:
        webhook = Webhook.parse(settings.webhook)
        told: dict[str, Tree] = {"url": webhook.url, "send_resolved": True}
        if webhook.user is not None:
            known: Tree = {"username": webhook.user, "password": webhook.password}
            told["http_config"] = {"basic_auth": known}
        receiver["webhook_configs"] = [told]
    every_ms = _scrape_ms(settings.pace)
    return {
        "route": {
            "receiver": "page",
            "group_by": ["host", "alertname"],
            "group_wait": f"{2 * every_ms}ms",
            "group_interval": f"{12 * every_ms}ms",
            "repeat_interval": "4h",
        },
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{worse}"'],
                "target_matchers": [f'alertname=~"{hidden}"'],
                "equal": ["host", "domain"],
            }
            for worse, hidden in _WORSE_HIDES
        ],
        "receivers": [receiver],
    }


def _scrape_ms(pace: Pace) -> int:
    return max(pace.window_s * 1000 // _SCRAPES_PER_WINDOW, _SHORTEST_SCRAPE_MS)


def _as_pattern(path: Path) -> str:
    """Return a pattern that finds a path; Prometheus allows no star but in the last part."""
    return re.sub(r"[?\[\\]", r"\\\g<0>", str(path)).replace("*", "?")


def _absolute(path: Path) -> str:
    return str(path.absolute())


def _text(tree: Tree) -> str:
    return "# Written by dashboards/observe each time that it starts; do not edit.\n" + (
        yaml.safe_dump(tree, sort_keys=False)
    )
