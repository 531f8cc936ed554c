"""Names the type of a piece of a dashboard, and the data sources that queries go to."""

from typing import Any

JsonObject = dict[str, Any]

METRICS: JsonObject = {"type": "prometheus", "uid": "${datasource}"}
PROFILES: JsonObject = {"type": "grafana-pyroscope-datasource", "uid": "${profiles}"}
