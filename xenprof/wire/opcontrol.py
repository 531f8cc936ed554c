"""The records between opcontrol and the service: operations with a Setup, Outcome and status."""

from dataclasses import dataclass
from typing import Literal

from xenprof.events import EventSetting
from xenprof.home import SESSION_DIR
from xenprof.wire.requests import DomainRequest

SEPARATIONS = ("library", "kernel", "thread", "cpu")
"""The words of `Setup.separate`, in the order in which `--status` prints them."""

Range = tuple[int, int]
"""The first address and the one after the last."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of a daemon. Paths are paths in the domain.

    `vmlinux` None means `--no-vmlinux`. `passive_ranges` correspond to `passive_images` by
    position. The domain lists are the user's text, None if not given.
    A buffer size of 0 leaves the kernel's own; the sizes stay when the daemon has ended, unless
    they are for once.
    """

    events: tuple[EventSetting, ...] = ()
    separate: tuple[str, ...] = ()
    vmlinux: str | None = None
    kernel_range: Range | None = None
    xen_image: str | None = None
    xen_range: Range | None = None
    image_filter: tuple[str, ...] = ()
    buffer_size: int = 0
    buffer_watershed: int = 0
    cpu_buffer_size: int = 0
    sizes_are_for_once: bool = False
    callgraph_depth: int = 0
    active_domains: str | None = None
    passive_domains: str | None = None
    passive_images: tuple[str, ...] = ()
    passive_ranges: tuple[Range, ...] = ()
    session_dir: str = SESSION_DIR
    verbose: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The lines that opcontrol prints, and its exit code."""

    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """The status of a domain's daemon: paused means running with profiling off.

    `pid` is None without a daemon.
    """

    state: Literal["running", "paused", "stopped"]
    pid: int | None = None

    @property
    def line(self) -> str:
        """Return the first line of `opcontrol --status`."""
        if self.state == "stopped":
            return "Daemon not running"
        return f"Daemon {self.state}: pid {self.pid}"


@dataclass(frozen=True, slots=True)
class Status(Outcome):
    """The answer to `GetStatus`: the lines that opcontrol prints, and their values."""

    status: DaemonStatus = DaemonStatus("stopped")


@dataclass(frozen=True, slots=True)
class Value:
    """The text of a file of oprofilefs."""

    value: str


@dataclass(frozen=True, slots=True)
class OpcontrolRequest(DomainRequest):
    """An operation of opcontrol; most do not use the setup, and only `save` uses the name."""

    setup: Setup | None = None
    name: str | None = None


class Init(OpcontrolRequest):
    """Load the module."""

    command = "opcontrol init"


class StartDaemon(OpcontrolRequest):
    """Start the daemon; the setup is needed."""

    command = "opcontrol start-daemon"


class StartProfiling(OpcontrolRequest):
    """Start the daemon if there is none, and begin to count."""

    command = "opcontrol start"


class Dump(OpcontrolRequest):
    """Write the buffered samples to files."""

    command = "opcontrol dump"


class StopProfiling(OpcontrolRequest):
    """Stop counting."""

    command = "opcontrol stop"


class ShutDownDaemon(OpcontrolRequest):
    """End the daemon."""

    command = "opcontrol shutdown"


class Reset(OpcontrolRequest):
    """Delete the samples of the current session."""

    command = "opcontrol reset"


class SaveSession(OpcontrolRequest):
    """Save the current session under a name."""

    command = "opcontrol save"


class Deinit(OpcontrolRequest):
    """End the daemon and unload the module."""

    command = "opcontrol deinit"


class GetStatus(OpcontrolRequest):
    """Return the status of the daemon."""

    command = "opcontrol status"


OPERATIONS: tuple[type[OpcontrolRequest], ...] = (
    Init, StartDaemon, StartProfiling, Dump, StopProfiling, ShutDownDaemon, Reset, SaveSession,
    Deinit, GetStatus,
)  # fmt: skip
