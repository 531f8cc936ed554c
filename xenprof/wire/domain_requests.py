"""What a program asks of the service about one domain: POST /api/v1/domains/DOMAIN/COMMAND."""

from dataclasses import dataclass

from xenprof.wire.requests import DomainRequest

# -- Life.


class Destroy(DomainRequest):
    """End it at once."""

    command = "destroy"


@dataclass(frozen=True, slots=True)
class Shutdown(DomainRequest):
    """Ask it to end itself: poweroff (None), reboot or halt."""

    command = "shutdown"

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Save(DomainRequest):
    """Write it to a file and destroy it, or (`checkpoint`) let it run on."""

    command = "save"

    path: str
    checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class DumpCore(DomainRequest):
    """Write its memory to a file; None: where xend puts it."""

    command = "dump-core"

    path: str | None
    live: bool = False
    crash: bool = False


class Pause(DomainRequest):
    """Stop scheduling it."""

    command = "pause"


class Unpause(DomainRequest):
    """Schedule it again."""

    command = "unpause"


@dataclass(frozen=True, slots=True)
class Rename(DomainRequest):
    """Give it another name."""

    command = "rename"

    name: str


@dataclass(frozen=True, slots=True)
class Sysrq(DomainRequest):
    """Press a magic key in it."""

    command = "sysrq"

    key: str


@dataclass(frozen=True, slots=True)
class Trigger(DomainRequest):
    """Send nmi, reset or init to a vcpu."""

    command = "trigger"

    trigger: str
    vcpu: int | None = None


# -- Configurations that xend keeps.


class Delete(DomainRequest):
    """Forget it."""

    command = "delete"


@dataclass(frozen=True, slots=True)
class Start(DomainRequest):
    """Create the domain of a kept configuration."""

    command = "start"

    paused: bool = False


class Suspend(DomainRequest):
    """Save it where `Resume` finds it."""

    command = "suspend"


class Resume(Start):
    """Bring it back."""

    command = "resume"


# -- Processors and memory.


@dataclass(frozen=True, slots=True)
class SetVcpus(DomainRequest):
    """Have so many vcpus online."""

    command = "set-vcpus"

    count: int


@dataclass(frozen=True, slots=True)
class PinVcpu(DomainRequest):
    """Set the pcpus that a vcpu may run on; None: all vcpus."""

    command = "pin-vcpu"

    vcpu: int | None
    pcpus: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetMemory(DomainRequest):
    """Set the balloon target."""

    command = "set-memory"

    mib: int


class SetMaximumMemory(SetMemory):
    """Set the most memory that it may have."""

    command = "set-maximum-memory"


@dataclass(frozen=True, slots=True)
class SetCredit(DomainRequest):
    """Change weight or cap of the credit scheduler; None: leave it."""

    command = "sched-credit"

    weight: int | None = None
    cap_percent: int | None = None


@dataclass(frozen=True, slots=True)
class SetSedf(DomainRequest):
    """Change what the EDF scheduler knows; None: leave it. Extra time may be said as 0 or 1."""

    command = "sched-sedf"

    period_ns: int | None = None
    slice_ns: int | None = None
    latency_ns: int | None = None
    extratime: bool | int | None = None
    weight: int | None = None


# -- Devices.


@dataclass(frozen=True, slots=True)
class AttachBlock(DomainRequest):
    """Give it a disk, e.g. `phy:sdb1` as `xvdb`, mode r, w or w!."""

    command = "attach-block"

    backend: str
    frontend: str
    mode: str
    backend_domain: str | None = None


class ConfigureBlock(AttachBlock):
    """Put another medium into its CD-ROM drive."""

    command = "configure-block"


@dataclass(frozen=True, slots=True)
class DetachBlock(DomainRequest):
    """Take a disk away, called by name or number."""

    command = "detach-block"

    device: str | int
    force: bool = False


@dataclass(frozen=True, slots=True)
class AttachNetwork(DomainRequest):
    """Give it a network interface of these options, joined by commas."""

    command = "attach-network"

    options: str | None = None


@dataclass(frozen=True, slots=True)
class DetachNetwork(DomainRequest):
    """Take a network interface away."""

    command = "detach-network"

    index: int
    force: bool = False
