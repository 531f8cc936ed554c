"""Writes the runbooks: what to do about each alert."""

from collections.abc import Sequence

from dashboards.rules.recordings import RECORDINGS
from dashboards.rules.rule import Alert, duration
from dashboards.rules.table import TOPICS
from dashboards.rules.texts import REAL, for_reading, on_a_real_host

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
_REAL = """## On a real host

The commands are those of a host with Xen 3.0.3, as the model has it. Of a real host that a \
service watches, `xenprof top` (`--host HOST` of several) shows what the service knows, and \
`xentop` and `xm list` do of the first one. Nothing changes a real host from here: that is typed \
in its domain 0, as root, with xl.

| instead of | in domain 0 of a real host |
|---|---|
"""
_OTHERS = """\
| `echo COMMAND \\| xm console DOMAIN` | `xl console DOMAIN`, and there COMMAND |
| `echo COMMAND \\| xenprof console Domain-0` | COMMAND |
| `xenprof xenmon` | `xenprof-agent trace FILE`; `xenprof trace` reads it ([live.md](live.md)) |
| `xenprof profile`, `opcontrol`, `opreport` | `xenprof record`, or `xenprof-agent contexts FILE` \
([live.md](live.md)) |

`xl sched-credit` has the options of `xl sched-credit2`, where `xl info` calls the scheduler credit.

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
    rows = (f"| `{here}` | `{there}` |\n" for here, there in REAL.items())
    parts = [_HEAD, _contents(), _REAL, *rows, _OTHERS]
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
        _commands([(_both(command), what) for command, what in alert.act]),
        "**It has helped when** this holds:",
        _block("promql", for_reading(alert.helped)),
    ]
    return "\n\n".join(lines) + "\n\n"


def _when(alert: Alert) -> str:
    return f"after {duration(alert.for_minutes * 60)}" if alert.for_minutes else "at once"


def _both(command: str) -> str:
    """Return a command, and what is typed in its place in domain 0 of a real host."""
    there = on_a_real_host(command)
    return command if there is None else f"{command}`, on a real host `{there}"


def _commands(commands: Sequence[tuple[str, str]]) -> str:
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
