"""Writes the configurations of Prometheus and Alertmanager for a running service."""

import re
from collections.abc import Collection, Mapping
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
PROMETHEUS_WEB = "prometheus-web.yml"
"""The web configuration of Prometheus with our own user, if it has users."""
WEBHOOK = "webhook.url"
"""The file with the URL of the webhook."""

_RULES = "rules"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_SCRAPES_PER_WINDOW = 60  # a scrape every 5 s as the rules are written
_SHORTEST_SCRAPE_MS = 500  # twice the time between two snapshots of the service is enough
_SCRAPES_PER_NOTICE = 12  # a minute as the rules are written, which is Prometheus' own default
_SHOWN_FOR_SCRAPES = 6  # a scrape that comes late is no gap
_SHOWN_FOR_AT_LEAST_MS = 5000  # a busy machine is late by seconds, however often it is asked
_WORSE_HIDES = (
    ("XenDomainStarved", "XenStealHigh|XenStealSustained"),
    ("XenStealHigh", "XenStealSustained"),
    ("XenprofHostNotRead", "XenprofCollectorFailing"),
)


def configs(
    settings: ObserveSettings, url: str, guard: Guard | None = None, *, hides_urls: bool = False
) -> Mapping[str, str]:
    """Return every file that the servers read, by its path below the folder of observing.

    `url` is the address of the service. Without a guard everybody gets at Alertmanager.
    `hides_urls`: it reads the URL of a webhook from a file, and shows it nowhere.
    """
    files = rule_files(settings.pace, settings.runbooks)
    rules = {f"{_RULES}/{name}": text for name, text in files.items()}
    return {
        **rules,
        "prometheus.yml": _text(_prometheus(settings, url, guard)),
        "alertmanager.yml": _text(_alertmanager(settings, hides_urls)),
        **(_webs(settings, guard) if guard else {}),
        **({WEBHOOK: Webhook.parse(settings.webhook).url} if settings.webhook else {}),
    }


def every_name() -> Collection[str]:
    """Return the paths of all files that may be written for the servers; some have passwords."""
    rules = [f"{_RULES}/{name}" for name in rule_files()]
    return ["prometheus.yml", "alertmanager.yml", ALERTMANAGER_WEB, PROMETHEUS_WEB, WEBHOOK, *rules]


def _webs(settings: ObserveSettings, guard: Guard) -> Mapping[str, str]:
    assert settings.web_config is not None  # its users are the guard's
    return {
        ALERTMANAGER_WEB: _text({"basic_auth_users": dict(guard.users)}),
        PROMETHEUS_WEB: guard.web_config(settings.web_config),
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
        "rule_files": [f"{_as_pattern(settings.folder)}/{_RULES}/*.yml"],
        "alerting": {"alertmanagers": [alertmanager]},
        "scrape_configs": [_job(settings, url)],
    }


def scraped_url(settings: ObserveSettings, url: str) -> str:
    """Return where Prometheus looks for the metrics of a service at `url`."""
    return f"{urlsplit(url).scheme}://{_target(url)}{settings.metrics_path}"


def _target(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    shown = _WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
    return f"{shown}:{parts.port or 443}"


def _job(settings: ObserveSettings, url: str) -> Tree:
    return {
        "job_name": "xenprof",
        "scheme": urlsplit(url).scheme,
        "metrics_path": settings.metrics_path,
        **_access(settings.access),
        "static_configs": [{"targets": [_target(url)]}],
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
    if access.server_name:
        tls["server_name"] = access.server_name
    if tls:
        found["tls_config"] = tls
    return found


def _alertmanager(settings: ObserveSettings, hides_urls: bool) -> Tree:
    """Return a configuration that groups alerts by host; the page shows them, and a webhook."""
    receiver: dict[str, Tree] = {"name": "page"}
    if settings.webhook is not None:
        webhook = Webhook.parse(settings.webhook)
        hidden: dict[str, Tree] = {"url_file": str(settings.folder / WEBHOOK)}
        told = {**(hidden if hides_urls else {"url": webhook.url}), "send_resolved": True}
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
            "group_interval": f"{notice_ms(settings.pace)}ms",
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


def notice_ms(pace: Pace) -> int:
    """Return after how long Prometheus and Alertmanager tell again what they have told."""
    return _SCRAPES_PER_NOTICE * _scrape_ms(pace)


def lookback(pace: Pace) -> str:
    """Return for how long the last value of a series counts, as Prometheus writes it.

    For its own 5 minutes, meant for scrapes a minute apart, rules would take the hosts of before
    `down` for present.
    """
    return f"{max(_SHOWN_FOR_SCRAPES * _scrape_ms(pace), _SHOWN_FOR_AT_LEAST_MS)}ms"


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
