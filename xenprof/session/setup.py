"""The values that opcontrol and the service exchange: Setup in, Outcome and DaemonStatus out.

No numpy, no pydantic: opcontrol imports this module and must start fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from xenprof.events import EventSetting
from xenprof.home import SESSION_DIR

SEPARATIONS = ("library", "kernel", "thread", "cpu")
"""The words of `Setup.separate`, in the order in which `--status` prints them."""

Range = tuple[int, int]
"""First address and the one after the last."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a daemon is started with. Paths are paths in the domain.

    `vmlinux` None means `--no-vmlinux`. `passive_ranges` pairs by position with
    `passive_images`. The domain lists are the user's text, None where not given.
    A buffer size of 0 leaves the kernel's default.
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
    callgraph_depth: int = 0
    active_domains: str | None = None
    passive_domains: str | None = None
    passive_images: tuple[str, ...] = ()
    passive_ranges: tuple[Range, ...] = ()
    session_dir: str = SESSION_DIR
    verbose: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able object that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Setup":
        """Return the setup that `to_json` wrote; keys left out keep their defaults.

        Raises: ValueError naming what cannot be used.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"unknown setup key: {unknown[0]}; known: {', '.join(sorted(known))}")
        values = dict(data)
        try:
            if "events" in values:
                values["events"] = tuple(EventSetting(**event) for event in values["events"])
            for name in ("separate", "image_filter", "passive_images"):
                if name in values:
                    values[name] = tuple(str(item) for item in values[name])
            for name in ("kernel_range", "xen_range"):
                if values.get(name) is not None:
                    values[name] = _range(values[name])
            if "passive_ranges" in values:
                values["passive_ranges"] = tuple(_range(pair) for pair in values["passive_ranges"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"setup cannot be used: {error}") from None
        if wrong := [word for word in values.get("separate", ()) if word not in SEPARATIONS]:
            raise ValueError(f"unknown separation: {wrong[0]}; known: {', '.join(SEPARATIONS)}")
        return cls(**values)


def _range(pair: Sequence[int]) -> Range:
    start, end = pair
    return int(start), int(end)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What opcontrol prints, line by line, and its exit code."""

    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able object that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Outcome":
        """Return the outcome that `to_json` wrote; other keys are ignored."""
        return cls(
            tuple(data.get("stdout", ())),
            tuple(data.get("stderr", ())),
            int(data.get("exit_code", 0)),
        )


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """A domain's daemon: paused means alive with profiling off. `pid` is None without one."""

    state: Literal["running", "paused", "stopped"]
    pid: int | None = None

    @property
    def line(self) -> str:
        """Return the first line of `opcontrol --status`."""
        if self.state == "stopped":
            return "Daemon not running"
        return f"Daemon {self.state}: pid {self.pid}"
