"""Declares a file in the root of a domain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DomainFile:
    """A file in a domain's root. Files with equal `data` may be hard-linked.

    A configuration is the users' own: once they have changed it, it stays as it is.
    """

    path: str  # absolute, in the domain
    data: bytes
    mtime: int  # virtual Unix seconds
    mode: int = 0o644
    is_configuration: bool = False
