"""Declares with which series an alert fires, and with which it does not."""

from collections.abc import Mapping
from dataclasses import dataclass

Series = Mapping[str, str]
"""Values by series in promtool's notation, one a minute: `0+60x50` counts one a second."""

HOST = 'host="h"'
CLOCK: Series = {
    'xen_host_uptime_seconds_total{host="h"}': "0+60x60",
    'xenprof_up{host="h"}': "1x60",
    'xen_host_up{host="h"}': "1x60",
}
"""A host that runs at the wall's speed; a case may have another."""


@dataclass(frozen=True)
class Case:
    """Both sides of an alert. `labels` and `summary` are those of the only alert that fires."""

    alert: str
    firing: Series
    quiet: Series
    labels: Mapping[str, str]
    summary: str
    is_cured: bool = True
    """The quiet side is one in which the runbook sees that something has helped."""


def domain(name: str) -> str:
    """Return the labels of a domain's series."""
    return f'host="h",domain="{name}"'


def flat(value: float) -> str:
    """Return a gauge that does not change."""
    return f"{value}x60"


def counting(per_second: float) -> str:
    """Return a counter that grows by so much in each second."""
    return f"0+{per_second * 60:g}x60"
