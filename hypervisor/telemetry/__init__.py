"""Declares what a host reports of itself: frozen records, all times in integer nanoseconds.

A field that is None is unknown to this host and is not exported; a value that nobody measured is
never 0. All counters are cumulative since the domain (or host) started. Numpy is not imported here,
because programs that only talk to the service use these records too; sample columns are in
`hypervisor.samples`.
"""

from hypervisor.telemetry.devices import (
    BridgeSnapshot,
    DiskSnapshot,
    NicSnapshot,
    RingSnapshot,
    VbdSnapshot,
    VifSnapshot,
)
from hypervisor.telemetry.domain import (
    ENDED_DOMAINS,
    DomainSnapshot,
    GuestKernelSnapshot,
    ModeTimes,
    VcpuSnapshot,
)
from hypervisor.telemetry.histogram import (
    BLOCK_BUCKETS_NS,
    OPERATION_BUCKETS_NS,
    WAIT_BUCKETS_NS,
    Exemplar,
    Histogram,
)
from hypervisor.telemetry.host import (
    HostSnapshot,
    OperationCount,
    OperationRecord,
    OperationStep,
    PcpuSnapshot,
)
from hypervisor.telemetry.life import Life
from hypervisor.telemetry.profile import (
    ImageSampleCount,
    LostCount,
    Mode,
    OverheadTime,
    ProfilingSession,
    SampleCount,
    SymbolSampleCount,
    XenoprofSnapshot,
)
from hypervisor.telemetry.sources import DATA_KINDS, DATA_SOURCES
from hypervisor.telemetry.tracerecord import TraceRecord

__all__ = [
    "BLOCK_BUCKETS_NS",
    "DATA_KINDS",
    "DATA_SOURCES",
    "ENDED_DOMAINS",
    "OPERATION_BUCKETS_NS",
    "WAIT_BUCKETS_NS",
    "BridgeSnapshot",
    "DiskSnapshot",
    "DomainSnapshot",
    "Exemplar",
    "GuestKernelSnapshot",
    "Histogram",
    "HostSnapshot",
    "ImageSampleCount",
    "Life",
    "LostCount",
    "Mode",
    "ModeTimes",
    "NicSnapshot",
    "OperationCount",
    "OperationRecord",
    "OperationStep",
    "OverheadTime",
    "PcpuSnapshot",
    "ProfilingSession",
    "RingSnapshot",
    "SampleCount",
    "SymbolSampleCount",
    "TraceRecord",
    "VbdSnapshot",
    "VcpuSnapshot",
    "VifSnapshot",
    "XenoprofSnapshot",
]
