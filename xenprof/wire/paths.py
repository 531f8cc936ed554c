"""Where the service tells something (GET), and how paths are put together."""

from urllib.parse import quote

SNAPSHOT = "/api/v1/snapshot"
"""A HostSnapshot, or whatever less of it a record has."""
HOST_INFO = "/api/v1/info"
"""The rows of `xm info`, each a text by its name."""
MESSAGE_RING = "/api/v1/dmesg"
"""The hypervisor's message ring, a Text."""
MANAGED = "/api/v1/managed"
"""ManagedDomains."""
XENSTORE = "/api/v1/xenstore"
"""A Store."""
HISTORY = "/api/v1/history"
"""A History."""
TRACE = "/api/v1/trace"
"""A TraceState, and more."""


def domain_path(domain: str, *names: str) -> str:
    """Return the path of what concerns one domain; a name may hold any character."""
    return "/".join(["/api/v1/domains", *map(segment, (domain, *names))])


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe="", errors="surrogateescape")
