"""Holds the PromQL of every dashboard, by name, a module for each subject.

YAML definitions name queries and never contain them, because grafana-dashboard-builder expands
braces in every string. Each query can be run alone after `Query.filled`.
"""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, HOST, Query
from dashboards.queries import (
    devices,
    disk,
    domains,
    fleet,
    guests,
    hosts,
    memory,
    network,
    profiler,
    scheduler,
    service,
    toolstack,
)

_SUBJECTS = (
    hosts,
    domains,
    scheduler,
    guests,
    memory,
    network,
    disk,
    devices,
    profiler,
    toolstack,
    fleet,
    service,
)

QUERIES: Mapping[str, Query] = {
    name: query for subject in _SUBJECTS for name, query in subject.QUERIES.items()
}

VARIABLES: Mapping[str, str] = {
    "host": "label_values(xen_host_info, host)",
    "domain": f"label_values(xen_domain_info{{{HOST}}}, domain)",
    "vcpu": f"label_values(xen_vcpu_state_seconds_total{{{DOMAIN}}}, vcpu)",
    "event": f"label_values(xen_profile_samples_total{{{HOST}}}, event)",
}
"""The series from which the dashboards' variables are chosen, each from those before it."""

__all__ = ["QUERIES", "VARIABLES", "Query"]
