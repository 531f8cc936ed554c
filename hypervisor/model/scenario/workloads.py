"""The parameters of each kind of workload, as they stand in scenarios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.faults import Fault, message
from hypervisor.model.scenario.table import Bounds, Table, reader

EXTERNAL = "external"  # a peer outside the host

Count = Annotated[int, Bounds(ge=1)]
Rate = Annotated[int, Bounds(ge=0, lt=2**63)]  # per second; 0 = as much as possible
Milliseconds = Annotated[float, Bounds(gt=0, le=3_600_000)]
Program = Literal["linpack", "httpd", "mysqld"]
# What it keeps in memory; by default what its program needs (workloads/base.py).
WorkingSet = Annotated[int, Bounds(ge=0, le=2**20)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuWorkload(Table):
    """Computes without a pause, in units of work."""

    kind: Literal["cpu"]
    threads: Annotated[int, Bounds(ge=1, le=32)] = 1
    cycles_per_unit: Count = 1_000_000
    program: Program = "linpack"
    memory_mib: WorkingSet = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstWorkload(Table):
    """Computes for `run_ms`, sleeps for `sleep_ms`; each varies by up to +- `jitter` of itself."""

    kind: Literal["burst"]
    run_ms: Milliseconds
    sleep_ms: Milliseconds
    jitter: Annotated[float, Bounds(ge=0, le=1)] = 0.0
    program: Program = "httpd"
    memory_mib: WorkingSet = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetperfWorkload(Table):
    """Streams messages from or to outside, or to another domain, which `peer` names."""

    kind: Literal["netperf"]
    direction: Literal["receive", "transmit", "to"] = "receive"
    peer: str = EXTERNAL
    message_bytes: Annotated[int, Bounds(ge=1, le=2**20)] = 16384
    rate_bits_per_second: Rate = 0
    memory_mib: WorkingSet = None

    def check(self) -> None:
        """Raise Fault if the peer does not fit the direction."""
        if (self.direction == "to") != (self.peer != EXTERNAL):
            raise Fault("peer is the name of a domain with direction 'to', and only then")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileioWorkload(Table):
    """Reads or writes blocks of the domain's first disk."""

    kind: Literal["fileio"]
    op: Literal["read", "write"] = "read"
    pattern: Literal["sequential", "random"] = "random"
    block_bytes: Annotated[int, Bounds(ge=512, le=2**22, multiple_of=512)] = 4096
    queue_depth: Annotated[int, Bounds(ge=1, le=256)] = 1
    rate_per_second: Rate = 0
    memory_mib: WorkingSet = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleWorkload(Table):
    """Does nothing but the guest kernel's own work."""

    kind: Literal["idle"]
    memory_mib: WorkingSet = None


Workload = CpuWorkload | BurstWorkload | NetperfWorkload | FileioWorkload | IdleWorkload


def parse_workloads(tables: Sequence[Mapping[str, object]]) -> tuple[Workload, ...]:
    """Return the workloads that are given as tables. Raises: ScenarioError."""
    try:
        found: tuple[Workload, ...] = reader(tuple[Workload, ...])(tables)
    except Fault as fault:
        raise ScenarioError(message("workload", fault, tables)) from None
    return found
