"""Declares a record of the hypervisor's trace rings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One record of the hypervisor's trace rings."""

    time_ns: int
    pcpu: int
    event: int
    data: tuple[int, ...]
