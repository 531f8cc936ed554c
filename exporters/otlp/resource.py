"""Makes the resource, which is the same for all signals: the host, and this run of the service.

Names are those of the semantic conventions. The conventions have none for hypervisors: the host is
the physical machine, and its system and architecture are those of domain 0.
"""

import uuid
from collections.abc import Mapping
from functools import lru_cache

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats

SCOPE = "xenprof"
_ARCHITECTURES: Mapping[str, str] = {
    "x86_64": "amd64",
    "i386": "x86",
    "i486": "x86",
    "i586": "x86",
    "i686": "x86",
    "ia64": "ia64",
    "aarch64": "arm64",
}
"""What uname says, as host.arch says it."""


def resource_of(host: HostSnapshot, stats: ServiceStats) -> Resource:
    """Return the resource; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME go before our own."""
    domain0 = next((domain for domain in host.domains if domain.domid == 0), None)
    return _resource(
        host.host,
        domain0.arch if domain0 is not None else None,
        domain0.os if domain0 is not None else None,
        stats.version,
        stats.started_unix,
    )


@lru_cache(4)
def _resource(
    host: str, arch: str | None, system: str | None, version: str, started_unix: float
) -> Resource:
    instance = uuid.uuid5(uuid.NAMESPACE_OID, f"{host} {started_unix}")
    attributes = {
        "host.name": host,
        "service.name": "xenprof",
        "service.version": version,
        "service.instance.id": str(instance),
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": __package__,  # a program of its own; the SDK's name is the SDK's
        "telemetry.sdk.version": version,
    }
    if arch is not None:
        attributes["host.arch"] = _ARCHITECTURES.get(arch, arch)
    if system is not None:
        attributes["os.type"] = system.lower()
    return Resource(attributes).merge(OTELResourceDetector().detect())


def plain_attributes(resource: Resource) -> dict[str, str | int]:
    """Return the attributes of a resource; there are texts and numbers only."""
    return {
        key: value if isinstance(value, str | int) else str(value)
        for key, value in resource.attributes.items()
    }
