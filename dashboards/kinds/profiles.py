"""Adds the panel whose data come from a server of profiles."""

from dashboards.kinds.panel import Panel
from dashboards.pieces import PROFILES


class FlameGraph(Panel):
    """The panel `flame-graph`: call stacks from Pyroscope."""

    panel_type = "flamegraph"
    source = PROFILES
    _default_span = 12
