"""The catalogue of all metrics; exporters, dashboards and the reference are made from its rows.

Metrics of host and guests begin with `xen_`, those of the program itself with `xenprof_`,
`process_` or `python_`. A value that the host does not know is left out, never shown as 0. Only
existing domains have series.
"""

from collections.abc import Mapping
from itertools import chain

from exporters.catalogue.collectors import COLLECTORS
from exporters.catalogue.disks import DISKS
from exporters.catalogue.domains import DOMAINS
from exporters.catalogue.host import HOST
from exporters.catalogue.memory import MEMORY
from exporters.catalogue.network import NETWORK
from exporters.catalogue.process import PROCESS
from exporters.catalogue.profiling import PROFILING
from exporters.catalogue.service import SERVICE
from exporters.catalogue.toolstack import TOOLSTACK
from exporters.catalogue.vcpus import VCPUS
from exporters.metric import Metric

HOST_ATTRIBUTE = "host.name"
"""The OpenTelemetry resource attribute for the label `host` of every Prometheus series."""

GROUPS: Mapping[str, tuple[Metric, ...]] = {
    "host": HOST,
    "domains": DOMAINS,
    "memory": MEMORY,
    "vcpus": VCPUS,
    "network": NETWORK,
    "disks": DISKS,
    "toolstack": TOOLSTACK,
    "profiling": PROFILING,
    "service": SERVICE,
    "process": PROCESS,
}
"""The rows by the collector that `xenprof_collector_success` names for them."""

OF_SERVICE = frozenset({"service", "process"})
"""The groups that tell of the service and not of a host. A service of several hosts tells them
once, under the name of its first host."""

GROUP_OF: Mapping[str, str] = {
    metric.name: group for group, metrics in GROUPS.items() for metric in metrics
}
"""The collector of each row by its name, but for the rows that tell of collectors."""

CATALOGUE: tuple[Metric, ...] = (*chain(*GROUPS.values()), *COLLECTORS)
"""All rows. The last ones tell how the collection of those before them went."""
