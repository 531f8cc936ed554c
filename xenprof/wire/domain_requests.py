"""The requests about one domain: POST /api/v1/domains/DOMAIN/COMMAND."""

from dataclasses import dataclass

from xenprof.wire.requests import DomainRequest

# -- Life cycle.


class Destroy(DomainRequest):
    """End the domain at once."""

    command = "destroy"


@dataclass(frozen=True, slots=True)
class ShutDownDomain(DomainRequest):
    """Ask the domain to end itself: poweroff (None), reboot or halt."""

    command = "shutdown"

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Save(DomainRequest):
    """Save the domain to a file and destroy it, or (`checkpoint`) let it run on."""

    command = "save"

    path: str
    checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class DumpCore(DomainRequest):
    """Write the domain's memory to a file; None: xend chooses the path."""

    command = "dump-core"

    path: str | None
    live: bool = False
    crash: bool = False


class Pause(DomainRequest):
    """Stop scheduling the domain."""

    command = "pause"


class Unpause(DomainRequest):
    """Schedule the domain again."""

    command = "unpause"


@dataclass(frozen=True, slots=True)
class Rename(DomainRequest):
    """Give the domain another name."""

    command = "rename"

    name: str


@dataclass(frozen=True, slots=True)
class Sysrq(DomainRequest):
    """Press a magic SysRq key in the domain."""

    command = "sysrq"

    key: str


@dataclass(frozen=True, slots=True)
class WriteSys(DomainRequest):
    """Write to a file below the domain's /sys, e.g. block/sda/queue/scheduler."""

    command = "write-sys"

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Trigger(DomainRequest):
    """Send nmi, reset or init to a vcpu."""

    command = "trigger"

    trigger: str
    vcpu: int | None = None


# -- Stored configurations.


class Delete(DomainRequest):
    """Delete a stored configuration."""

    command = "delete"


@dataclass(frozen=True, slots=True)
class StartDomain(DomainRequest):
    """Start the domain of a stored configuration."""

    command = "start"

    paused: bool = False


class Suspend(DomainRequest):
    """Save the domain where `Resume` finds it."""

    command = "suspend"


class Resume(StartDomain):
    """Restore a suspended domain."""

    command = "resume"


# -- Processors and memory.


@dataclass(frozen=True, slots=True)
class SetVcpus(DomainRequest):
    """Set the number of vcpus that are online."""

    command = "set-vcpus"

    count: int


@dataclass(frozen=True, slots=True)
class PinVcpu(DomainRequest):
    """Set the pcpus on which a vcpu (None: all vcpus) may run."""

    command = "pin-vcpu"

    vcpu: int | None
    pcpus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetMemory(DomainRequest):
    """Set the balloon target."""

    command = "set-memory"

    mib: int


class SetMaximumMemory(SetMemory):
    """Set the domain's maximum memory."""

    command = "set-maximum-memory"


@dataclass(frozen=True, slots=True)
class SetCredit(DomainRequest):
    """Change weight or cap of the credit scheduler; None: no change."""

    command = "sched-credit"

    weight: int | None = None
    cap_percent: int | None = None


@dataclass(frozen=True, slots=True)
class SetSedf(DomainRequest):
    """Change parameters of the EDF scheduler; None: no change. Extra time may be 0 or 1."""

    command = "sched-sedf"

    period_ns: int | None = None
    slice_ns: int | None = None
    latency_ns: int | None = None
    extratime: bool | int | None = None
    weight: int | None = None


# -- Devices.


@dataclass(frozen=True, slots=True)
class AttachBlock(DomainRequest):
    """Attach a disk, e.g. `phy:sdb1` as `xvdb`, mode r, w or w!."""

    command = "attach-block"

    backend: str
    frontend: str
    mode: str
    backend_domain: str | None = None


class ConfigureBlock(AttachBlock):
    """Put another medium into the domain's CD-ROM drive."""

    command = "configure-block"


@dataclass(frozen=True, slots=True)
class DetachBlock(DomainRequest):
    """Detach a disk, given by name or number."""

    command = "detach-block"

    device: str | int
    force: bool = False


@dataclass(frozen=True, slots=True)
class AttachNetwork(DomainRequest):
    """Attach a network interface with these options, joined by commas."""

    command = "attach-network"

    options: str | None = None


@dataclass(frozen=True, slots=True)
class DetachNetwork(DomainRequest):
    """Detach a network interface."""

    command = "detach-network"

    index: int
    force: bool = False
