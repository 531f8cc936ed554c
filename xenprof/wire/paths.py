"""The paths that the service answers (GET), and how paths are composed."""

from urllib.parse import quote

SNAPSHOT = "/api/v1/snapshot"
"""A HostSnapshot, or a record with a part of its fields."""
HOST_INFO = "/api/v1/info"
"""The rows of `xm info`, texts by their names."""
MESSAGE_RING = "/api/v1/dmesg"
"""The hypervisor's message ring, a Text."""
MANAGED = "/api/v1/managed"
"""ManagedDomains."""
XENSTORE = "/api/v1/xenstore"
"""A Store."""
HISTORY = "/api/v1/history"
"""A History."""
TRACE = "/api/v1/trace"
"""A TraceState with further fields."""


def domain_path(domain: str, *names: str) -> str:
    """Return a path below that of a domain; a name may contain any character."""
    return "/".join(["/api/v1/domains", *map(segment, (domain, *names))])


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe="", errors="surrogateescape")
