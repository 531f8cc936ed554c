"""Joins the alerts of all topics, in the order of the runbooks."""

from collections.abc import Mapping

from dashboards.rules.alerts import devices, memory, processors, profiling, service
from dashboards.rules.rule import Alert

TOPICS: Mapping[str, tuple[Alert, ...]] = {
    "processors": processors.ALERTS,
    "devices": devices.ALERTS,
    "memory": memory.ALERTS,
    "profiling": profiling.ALERTS,
    "service": service.ALERTS,
}
"""The alerts by topic, which is the name of their group in the file of rules."""

ALERTS = tuple(alert for alerts in TOPICS.values() for alert in alerts)
