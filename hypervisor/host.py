"""Declares what any Xen host may offer, as protocols: one object per capability, and time.

Every host has telemetry; toolstack (see `control`), profiler and tracer may each be missing, so
they are requested with `toolstack_of`, `profiler_of` or `tracer_of`. The programs above use only
these protocols, so that a real host can take the place of the model.
All methods are called from the one thread that owns the host.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hypervisor.control import Toolstack
from hypervisor.domainfile import DomainFile
from hypervisor.errors import Capability, MissingCapability
from hypervisor.telemetry import HostSnapshot, TraceRecord
from hypervisor.trace_events import TraceStatus

if TYPE_CHECKING:  # numpy is imported by those who profile
    from hypervisor.samples import CallStack, SampleRuns


@dataclass(frozen=True, slots=True)
class Mapped:
    """A file mapped into a task: pcs in [start, end) are at `offset + pc - start` in `path`."""

    start: int
    end: int
    offset: int
    path: str


@dataclass(frozen=True, slots=True)
class Task:
    """A process as the daemon sees it: its program and the files mapped into it."""

    tgid: int
    program: str  # absolute path in the domain
    mappings: tuple[Mapped, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A loaded kernel module, as in /proc/modules. `path` is its file in the domain."""

    name: str
    start: int
    size: int
    path: str


class Samples(Protocol):
    """Samples that a daemon has read; their columns may be computed on demand."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def load(self) -> "SampleRuns":
        """Return the columns. One thread calls this once for all samples of a domain, in order."""
        ...


class Telemetry(Protocol):
    """Reports the state of a host."""

    def snapshot(self) -> HostSnapshot:
        """Return the present state; cheap enough for every second and every command."""
        ...


class OprofileDriver(Protocol):
    """A domain's kernel driver: oprofilefs, the sample buffer, and what explains a pc."""

    def read(self, name: str) -> str:
        """Return the text of `/dev/oprofile/<name>` without its newline.

        Raises: OprofilefsError (no such file).
        """
        ...

    def write(self, name: str, value: str) -> None:
        """Write a control file (`enable`, `dump`, `active_domains`, `0/count`, `buffer_size`, ...).

        Raises: OprofilefsError with the errno the kernel would return and the missing step.
        """
        ...

    def open_buffer(self) -> None:
        """Open `/dev/oprofile/buffer` as the daemon does; get_buffer, reserve, setup, enable_virq.

        Raises: OprofilefsError, e.g. EPERM when domain 0 has not listed this domain.
        """
        ...

    def close_buffer(self) -> None:
        """Close the buffer: disable_virq, and for the primary release_counters."""
        ...

    def read_buffer(self) -> Sequence[Samples]:
        """Return the samples that the daemon has taken from the buffer since the last call.

        Rows whose `domain` differs from this driver's own domain are passive samples
        (domain 0 only).
        """
        ...

    def pending(self) -> int:
        """Return the number of samples in this domain's buffers that the daemon has not taken."""
        ...

    def modules(self) -> Sequence[Module]:
        """Return the loaded modules."""
        ...

    def tasks(self) -> Mapping[int, Task]:
        """Return every task that ever ran, by tgid."""
        ...


@runtime_checkable
class StackWalker(Protocol):
    """A driver that records call stacks: its `backtrace_depth` can be read and written."""

    def stack(self, stack_id: int) -> "CallStack":
        """Return the stack with this number in this driver's batches; any thread may call it."""
        ...


class Profiler(Protocol):
    """Profiles a host in the way of Xenoprof."""

    def oprofile(self, domain: str) -> OprofileDriver:
        """Return the driver of a domain given by name or id.

        Raises: UnknownDomain; Refused for an HVM guest, which has no driver.
        """
        ...

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return the images in a domain's root that explain its samples."""
        ...

    def count_samples(self, domid: int, lost: Mapping[str, int]) -> None:
        """Add losses above the driver, by reason, to the host's lost counts.

        `domid` is a domain's that lives, or that has ended and had this id last.
        """
        ...


class Tracer(Protocol):
    """Traces a host in rings, one for each pcpu. `read` serves a single reader."""

    def set_masks(self, event_mask: int, pcpu_mask: int) -> None:
        """Record these events (0: none) on these pcpus; the rings are made if necessary."""
        ...

    def set_ring_pages(self, pages: int) -> None:
        """Make rings of `pages` pages, once per boot. Raises: Refused where they exist already."""
        ...

    def set_poll(self, poll_ns: int, threshold: int) -> None:
        """Empty the rings every `poll_ns` of host time, those with `threshold` records or more."""
        ...

    def read(self) -> Sequence[TraceRecord]:
        """Return the records since the last call; those of each pcpu are in the order of time.

        A record of LOST_RECORDS says how many were lost before it on its pcpu.
        """
        ...

    def status(self) -> TraceStatus:
        """Return the masks, the sizes, and the numbers of records emitted, read and lost."""
        ...


class Host(Protocol):
    """A Xen host: its time, which the caller advances, and its capabilities."""

    @property
    def name(self) -> str:
        """Return the name of the host."""
        ...

    @property
    def now_ns(self) -> int:
        """Return the host's time."""
        ...

    @property
    def epoch_ns(self) -> int:
        """Return the Unix time of the host's time 0."""
        ...

    def advance(self, until_ns: int) -> None:
        """Run to time `until_ns`."""
        ...

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Run until `done()`, checked every ms, or for `limit_ns`; return done()."""
        ...

    @property
    def telemetry(self) -> Telemetry:
        """Return the telemetry, which reports the host's state."""
        ...

    @property
    def toolstack(self) -> Toolstack | None:
        """Return the toolstack, which manages the domains."""
        ...

    @property
    def profiler(self) -> Profiler | None:
        """Return the profiler, which samples the domains."""
        ...

    @property
    def tracer(self) -> Tracer | None:
        """Return the tracer, which reads the trace rings."""
        ...


@runtime_checkable
class Lacks(Protocol):
    """A host that lacks capabilities for a reason of its own."""

    @property
    def lacks(self) -> str:
        """Return why, as a line for users."""
        ...


def missing(host: Host, capability: Capability) -> MissingCapability:
    """Return the error for a capability that a host lacks."""
    return MissingCapability(capability, host.lacks if isinstance(host, Lacks) else "")


@runtime_checkable
class GoesOn(Protocol):
    """A host whose time goes on by itself."""

    def present_ns(self) -> int:
        """Return the time that it is; `advance` to a later one waits."""
        ...


def toolstack_of(host: Host) -> Toolstack:
    """Return the toolstack of a host. Raises: MissingCapability."""
    if host.toolstack is None:
        raise missing(host, "toolstack")
    return host.toolstack


def asked_toolstack_of(host: Host) -> Toolstack:
    """Return the toolstack of a host, to ask what only that tells. Raises: MissingCapability."""
    if host.toolstack is None:
        if isinstance(host, Lacks):
            raise missing(host, "toolstack")
        raise MissingCapability(
            "toolstack", "xenprof only watches this host: its own toolstack tells what is asked"
        )
    return host.toolstack


def profiler_of(host: Host) -> Profiler:
    """Return the profiler of a host. Raises: MissingCapability."""
    if host.profiler is None:
        raise missing(host, "profiler")
    return host.profiler


def tracer_of(host: Host) -> Tracer:
    """Return the tracer of a host. Raises: MissingCapability."""
    if host.tracer is None:
        raise missing(host, "tracer")
    return host.tracer
