"""Writes the runbooks: what to do about each alert."""

from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.rule import Alert, duration
from dashboards.rules.table import TOPICS
from dashboards.rules.texts import for_reading

_HEAD = """# Runbooks

Written by `python -m dashboards.rules` from `dashboards/rules/`. For each alert: what it means, \
how to confirm it, why it happens, what to do, and how to see that it has helped. `DOMAIN`, `VBD` \
and the like stand for labels of the alert, which its annotations have filled in. Queries go into \
Prometheus' page, or into `promtool query instant http://127.0.0.1:9090 QUERY`; commands into a \
shell with the programs (`make shell`). The severities: `critical`, guests do not work; `warning`, \
they are slow or will be; `info`, it explains what others see.

Rates are per virtual second, so thresholds hold whatever the speed of the model is. They are over \
5 minutes, and the names of records say so. With `OBSERVE_WINDOW` of `make observe` they are over \
that time, and all times after which alerts fire shrink with it; the names stay.

"""
_TITLES = {
    "processors": "Processors",
    "devices": "Disks, networks, channels and grants",
    "memory": "Memory, and domains that end",
    "profiling": "Profiling",
    "service": "xenprof itself",
}


def markdown() -> str:
    """Return the whole document."""
    parts = [_HEAD, _contents()]
    for topic, alerts in TOPICS.items():
        parts.append(f"## {_TITLES[topic]}\n\n")
        parts += [_section(alert) for alert in alerts]
    parts.append(_recordings())
    return "".join(parts)


def _contents() -> str:
    rows = "".join(
        f"| [{alert.name}](#{alert.anchor}) | {alert.severity} | {_summary(alert)} |\n"
        for alerts in TOPICS.values()
        for alert in alerts
    )
    return f"| alert | severity | what it says |\n|---|---|---|\n{rows}\n"


def _summary(alert: Alert) -> str:
    """Return the summary without its templates, which only Prometheus can fill."""
    text = alert.summary.replace('{{ printf "%.1f" $value }}', "$value")
    before, has_list, _ = text.partition("{{ range")
    return for_reading(f"{before}..." if has_list else text)


def _section(alert: Alert) -> str:
    expr = alert.expr
    lines = [
        f"### {alert.name}",
        f"*{alert.severity}, {_when(alert)}.* {alert.meaning}",
        "**Fires when**",
        _block("promql", expr),
        alert.threshold,
        "**Confirm**",
        _block("promql", "\n".join(for_reading(query) for query in alert.queries)),
        _commands(alert.look),
        f"**Cause.** {alert.cause}",
        "**Do**",
        _commands(alert.act),
        "**It has helped when** this holds:",
        _block("promql", for_reading(alert.helped)),
    ]
    return "\n\n".join(lines) + "\n\n"


def _when(alert: Alert) -> str:
    return f"after {duration(alert.for_minutes * 60)}" if alert.for_minutes else "at once"


def _commands(commands: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(
        f"- `{for_reading(command)}`: {what}" if command else f"- {what}"
        for command, what in commands
    )


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _recordings() -> str:
    rows = "".join(f"| `{rule.name}` | {rule.meaning} |\n" for rule in RECORDINGS)
    return (
        "## Recording rules\n\nFigures that Prometheus keeps ready, named "
        f"xen:LEVEL_WHAT:OPERATIONS.\n\n| name | meaning |\n|---|---|\n{rows}"
    )
