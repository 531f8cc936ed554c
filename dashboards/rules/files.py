"""Writes the rules as files of Prometheus."""

from collections.abc import Mapping
from typing import TypeAlias

import yaml

from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.rule import AS_WRITTEN, Alert, Pace, duration
from dashboards.rules.table import TOPICS
from dashboards.rules.texts import as_template

RUNBOOKS = "docs/runbooks.md"
"""Where alerts say that their runbooks are, if nobody says where they are served."""

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"

_HEAD = "# Written by `python -m dashboards.rules` from dashboards/rules; do not edit.\n"


def rule_files(pace: Pace = AS_WRITTEN, runbooks: str = RUNBOOKS) -> Mapping[str, str]:
    """Return the text of each file of rules by its name."""
    recorded: list[Tree] = [
        {"record": rule.name, "expr": pace.paced(rule.expr)} for rule in RECORDINGS
    ]
    alerts: list[Tree] = [
        {"name": f"xenprof-{topic}", "rules": [_alert(alert, pace, runbooks) for alert in listed]}
        for topic, listed in TOPICS.items()
    ]
    return {
        "xenprof-recordings.yml": _text([{"name": "xenprof-recordings", "rules": recorded}]),
        "xenprof-alerts.yml": _text(alerts),
    }


def annotations(alert: Alert, pace: Pace, runbooks: str) -> dict[str, str]:
    """Return the annotations of an alert, as templates."""
    texts = {
        "summary": alert.summary,
        "meaning": alert.meaning,
        "cause": alert.cause,
        "command": alert.command,
    }
    filled = {name: pace.paced(as_template(text, alert)) for name, text in texts.items()}
    return {**filled, "runbook_url": f"{runbooks}#{alert.anchor}"}


def _alert(alert: Alert, pace: Pace, runbooks: str) -> Tree:
    return {
        "alert": alert.name,
        "expr": pace.paced(alert.expr),
        "for": duration(pace.seconds(alert.for_minutes)),
        "labels": {"severity": alert.severity.value},
        "annotations": dict(annotations(alert, pace, runbooks)),
    }


def _text(groups: list[Tree]) -> str:
    return _HEAD + yaml.safe_dump(
        {"groups": groups}, sort_keys=False, allow_unicode=True, width=100_000
    )
