"""The parameters of each kind of workload, as they stand in scenarios."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.table import Table, message

EXTERNAL = "external"  # a peer outside the host

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[int, Field(ge=0, lt=2**63)]  # per second; 0 = as much as possible
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000, allow_inf_nan=False)]
SocketBytes = Annotated[int, Field(ge=0, le=2**20)]  # netperf -s and -S; 0 = tuned by the kernels
LARGEST_DATAGRAM = 65_507  # 65 535 less the headers of IP and UDP
Program = Literal["linpack", "httpd", "mysqld"]
# What it keeps in memory; by default what its program needs (workloads/base.py).
WorkingSet = Annotated[int, Field(ge=0, le=2**20)] | None


class CpuWorkload(Table):
    """Computes without a pause, in units of work."""

    kind: Literal["cpu"]
    threads: Annotated[int, Field(ge=1, le=32)] = 1
    cycles_per_unit: Count = 1_000_000
    program: Program = "linpack"
    memory_mib: WorkingSet = None


class BurstWorkload(Table):
    """Computes for `run_ms`, sleeps for `sleep_ms`; each varies by up to +- `jitter` of itself.

    `awaits`: a timer of its kernel, which expires at a tick, or an event from outside.
    """

    kind: Literal["burst"]
    run_ms: Milliseconds
    sleep_ms: Milliseconds
    jitter: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    awaits: Literal["timer", "event"] = "timer"
    program: Program = "httpd"
    memory_mib: WorkingSet = None


# The tests of netperf that a key is for.
_OF_TESTS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("message_bytes", "rate_bits_per_second"), ("TCP_STREAM", "UDP_STREAM")),
    (("socket_bytes", "tso", "acks_each_packet"), ("TCP_STREAM",)),
    (("request_bytes", "response_bytes"), ("TCP_RR", "UDP_RR", "TCP_CRR")),
)


class NetperfWorkload(Table):
    """Streams messages from or to outside, or to another domain, which `peer` names.

    `tso` and `acks_each_packet`: see `network.tcp.TcpOptions`.
    """

    kind: Literal["netperf"]
    test: Literal["TCP_STREAM", "UDP_STREAM", "TCP_RR", "UDP_RR", "TCP_CRR"] = "TCP_STREAM"
    direction: Literal["receive", "transmit", "to"] = "receive"
    peer: str = EXTERNAL
    message_bytes: Annotated[int, Field(ge=1, le=2**20)] = 16384
    rate_bits_per_second: Rate = 0
    socket_bytes: SocketBytes = 0
    tso: bool = True
    acks_each_packet: bool = False
    request_bytes: Annotated[int, Field(ge=1, le=65_000)] = 1  # of TCP_RR and its kin
    response_bytes: Annotated[int, Field(ge=1, le=65_000)] = 1
    memory_mib: WorkingSet = None

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        fields = type(self).model_fields
        for keys, tests in _OF_TESTS:
            for key in keys:
                if self.test not in tests and getattr(self, key) != fields[key].default:
                    raise ValueError(f"{key} changes nothing with {self.test}; it is for "
                                     f"{', '.join(tests)}")  # fmt: skip
        if not self.tso and self.direction == "receive":
            raise ValueError("tso is the sender's, and with direction 'receive' that is outside")
        if self.acks_each_packet and (self.direction != "to" or not self.tso):
            raise ValueError("acks_each_packet is for direction 'to', with tso")
        return self

    @model_validator(mode="after")
    def _peer_fits(self) -> Self:
        if (self.direction == "to") != (self.peer != EXTERNAL):
            raise ValueError("peer is the name of a domain with direction 'to', and only then")
        if self.test == "UDP_STREAM" and self.message_bytes > LARGEST_DATAGRAM:
            raise ValueError(f"message_bytes is {LARGEST_DATAGRAM} at most with UDP_STREAM")
        return self


class FileioWorkload(Table):
    """Reads or writes blocks of the domain's first disk.

    `direct`: past the page cache (O_DIRECT); None: if there is more than one request at a time,
    since 2.6.18 has asynchronous requests for such files only.
    """

    kind: Literal["fileio"]
    op: Literal["read", "write"] = "read"
    pattern: Literal["sequential", "random"] = "random"
    block_bytes: Annotated[int, Field(ge=512, le=2**22, multiple_of=512)] = 4096
    queue_depth: Annotated[int, Field(ge=1, le=256)] = 1
    rate_per_second: Rate = 0
    direct: bool | None = None
    sync: bool = False  # O_SYNC: each write waits for the disk
    fsync_every: Annotated[int, Field(ge=0)] = 0  # writes; 0 = never
    lun: str | None = None  # an iSCSI store to which the guest itself logs in
    memory_mib: WorkingSet = None

    @model_validator(mode="after")
    def _syncs_fit(self) -> Self:
        if (self.sync or self.fsync_every) and self.op != "write":
            raise ValueError("sync and fsync_every are for op = 'write'")
        if (self.sync or self.fsync_every) and is_direct(self.direct, self.queue_depth):
            raise ValueError("sync and fsync_every are for direct = false")
        if self.lun is not None and not is_direct(self.direct, self.queue_depth):
            raise ValueError("lun is for direct = true")
        return self


def is_direct(direct: bool | None, queue_depth: int) -> bool:
    """Return whether requests of a fileio workload go past the page cache."""
    return queue_depth > 1 if direct is None else direct


class LinpackWorkload(Table):
    """Solves systems of `n` equations, one in each thread, again and again."""

    kind: Literal["linpack"]
    n: Annotated[int, Field(ge=10, le=30_000)] = 1000
    threads: Annotated[int, Field(ge=1, le=32)] = 1
    precision: Literal["single", "double"] = "double"
    memory_mib: WorkingSet = None


class Aim7Workload(Table):
    """Runs the tests of a mix of AIM7 for `users` at a time."""

    kind: Literal["aim7"]
    mix: Literal["shared", "compute", "fserver", "dbase"] = "shared"
    users: Annotated[int, Field(ge=1, le=1000)] = 10
    memory_mib: WorkingSet = None


IozonePhase = Literal["write", "rewrite", "read", "reread", "random_read", "random_write"]


class IozoneWorkload(Table):
    """Writes, rewrites, reads and rereads a file, as iozone does; with `fsync` as iozone -e."""

    kind: Literal["iozone"]
    file_kib: Annotated[int, Field(ge=64, le=15 * 2**18)] = 65_536  # its place on the disk
    record_kib: Annotated[int, Field(ge=4, le=16_384, multiple_of=4)] = 64
    phases: Annotated[tuple[IozonePhase, ...], Field(strict=False, min_length=1)] = (
        "write",
        "rewrite",
        "read",
        "reread",
    )
    fsync: bool = False
    memory_mib: WorkingSet = None

    @model_validator(mode="after")
    def _record_fits(self) -> Self:
        if self.record_kib > self.file_kib:
            raise ValueError(f"record_kib is {self.file_kib} at most: the file's file_kib")
        if len(set(self.phases)) < len(self.phases):
            raise ValueError("phases names a phase twice")
        if self.fsync and not any("write" in phase for phase in self.phases):
            raise ValueError("fsync is for phases that write")
        return self


class LmbenchWorkload(Table):
    """Repeats one operation of the kernel."""

    kind: Literal["lmbench"]
    test: Literal[
        "null_call",
        "null_io",
        "stat",
        "open_close",
        "select",
        "signal_install",
        "signal_handle",
        "page_fault",
        "protection_fault",
        "mmap",
        "fork",
        "exec",
        "sh",
        "create",
        "delete",
        "create_10k",
        "delete_10k",
        "pipe",
        "context_switch",
    ] = "null_call"
    processes: Annotated[int, Field(ge=2, le=64)] = 2  # of context_switch
    working_kib: Annotated[int, Field(ge=0, le=1024)] = 0  # of each of them
    memory_mib: WorkingSet = None

    @model_validator(mode="after")
    def _processes_fit(self) -> Self:
        if self.test != "context_switch" and (self.processes, self.working_kib) != (2, 0):
            raise ValueError("processes and working_kib are for test = 'context_switch'")
        return self


class BuildWorkload(Table):
    """Compiles the objects of a kernel, `jobs` at a time, as `make -j` does."""

    kind: Literal["build"]
    jobs: Annotated[int, Field(ge=1, le=64)] = 1
    writes_objects: bool = False  # to the first disk; else files do not count
    memory_mib: WorkingSet = None


class OltpWorkload(Table):
    """Runs transactions on a database, as TPC-C does, for clients here or outside."""

    kind: Literal["oltp"]
    engine: Literal["oracle", "sybase"] = "oracle"
    clients: Annotated[int, Field(ge=1, le=512)] = 8
    clients_from: Literal["here", "outside"] = "here"
    database_mib: Annotated[int, Field(ge=16, le=6144)] = 1024
    cache_mib: Annotated[int, Field(ge=4, le=16384)] = 96
    think_ms: Annotated[float, Field(ge=0, le=3_600_000, allow_inf_nan=False)] = 0.0
    read_only: bool = False
    memory_mib: WorkingSet = None


class JavaWorkload(Table):
    """Sends messages of chat rooms to all who are there, as VolanoMark does."""

    kind: Literal["java"]
    rooms: Annotated[int, Field(ge=1, le=100)] = 10
    heap_mib: Annotated[int, Field(ge=16, le=16384)] = 128
    collector_threads: Annotated[int, Field(ge=0, le=32)] = 0  # 0: as many as vcpus
    memory_mib: WorkingSet = None


class WebWorkload(Table):
    """Serves a static file to clients outside."""

    kind: Literal["web"]
    clients: Annotated[int, Field(ge=1, le=1024)] = 32
    file_bytes: Annotated[int, Field(ge=1, le=2**20)] = 10_240
    think_ms: Annotated[float, Field(ge=0, le=3_600_000, allow_inf_nan=False)] = 0.0
    memory_mib: WorkingSet = None


class IdleWorkload(Table):
    """Does nothing but the guest kernel's own work."""

    kind: Literal["idle"]
    memory_mib: WorkingSet = None


Workload = Annotated[
    CpuWorkload
    | BurstWorkload
    | NetperfWorkload
    | FileioWorkload
    | LinpackWorkload
    | Aim7Workload
    | IozoneWorkload
    | LmbenchWorkload
    | BuildWorkload
    | OltpWorkload
    | JavaWorkload
    | WebWorkload
    | IdleWorkload,
    Field(discriminator="kind"),
]
Workloads = Annotated[tuple[Workload, ...], Field(strict=False)]


def uses_disk(workload: Workload) -> bool:
    """Return whether a workload reads or writes the domain's first disk."""
    if workload.kind == "fileio":
        return workload.lun is None
    if workload.kind == "build":
        return workload.writes_objects
    return workload.kind in ("aim7", "iozone", "oltp")


def with_article(kind: str) -> str:
    """Return `kind` as a sentence has it."""
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def writes_disk(workload: Workload) -> bool:
    """Return whether a workload writes to the domain's first disk."""
    if workload.kind == "fileio":
        return workload.lun is None and workload.op == "write"
    if workload.kind == "iozone":
        return any("write" in phase for phase in workload.phases)
    if workload.kind == "oltp":
        return not workload.read_only
    return uses_disk(workload)


def check_disk(workload: Workload, modes: Sequence[str]) -> None:
    """Raise ValueError for a workload without the disk that it needs.

    `modes` are those of the domain's disks that hold something.
    """
    if uses_disk(workload) and not modes:
        raise ValueError(f"{with_article(workload.kind)} workload needs a disk")
    if writes_disk(workload) and modes[0] == "r":
        raise ValueError(
            f"{with_article(workload.kind)} workload writes to the first disk, which is read-only; "
            "attach it with mode w"
        )


def uses_network(workload: Workload) -> bool:
    """Return whether a workload sends packets."""
    is_served = workload.kind == "oltp" and workload.clients_from == "outside"
    return workload.kind in ("netperf", "web") or is_served


_WORKLOADS: TypeAdapter[tuple[Workload, ...]] = TypeAdapter(Workloads)


def parse_workloads(tables: Sequence[Mapping[str, object]]) -> tuple[Workload, ...]:
    """Return the workloads that are given as tables. Raises: ScenarioError."""
    try:
        return _WORKLOADS.validate_python(list(tables))
    except ValidationError as error:
        raise ScenarioError(message("workload", error, tables)) from None
