"""The options with which `xenprof serve` watches real hosts instead of a model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from xenprof.cli.durations import Duration
from xenprof.errors import UsageError

if TYPE_CHECKING:
    from hypervisor.live.host import LiveHost
    from hypervisor.live.sources.addresses import Address
    from hypervisor.telemetry import HostSnapshot
    from xenprof.service.reach import Reach

_OF_THE_MODEL = (
    "scenario", "speed", "strict", "no_support_limits", "domain0_minimum_mib", "enable_dump",
)  # fmt: skip
_SHORTEST_PERIOD_NS = 10**9
_MOST_PASSWORD_BYTES = 4096
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class RealHosts:
    """The hosts to watch, the first is the service's own; and how often they are read."""

    addresses: "Sequence[Address]"
    period_ns: int

    @property
    def shown(self) -> str:
        """Return them in a line."""
        names = [one.name for one in self.addresses]
        return ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} hosts"

    @contextmanager
    def opened(self) -> "Iterator[Sequence[LiveHost]]":
        """Read the hosts inside the block. Raises: HostError."""
        from hypervisor.live.opening import opened

        with opened(self.addresses, self.period_ns) as hosts:
            yield hosts


def started(shown: str, at: "Reach", hosts: "Sequence[HostSnapshot]") -> tuple[str, str]:
    """Return the line that tells of a service that answers, and notes on it: what it reads not."""
    lost = [one for one in hosts if not one.is_up]
    notes = [at.warning] if at.warning else []
    notes += [
        f"xenprof: nothing is read of {one.host} yet: {one.unread_because}"
        for one in lost[:_MOST_NAMED]
    ]
    if len(lost) > _MOST_NAMED:
        notes.append(f"xenprof: nor of {len(lost) - _MOST_NAMED} other hosts")
    return f"xenprof: serving {shown} on {at.url}", "\n".join(notes)


def real_host_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options; the function gets `real`, None for a model."""

    @click.option(
        "--host",
        "hosts",
        multiple=True,
        metavar="[NAME=]HOST",
        help="Watch a real Xen: xen (this domain 0), agent:PATH|URL or ssh:NAME; repeatable.",
    )
    @click.option(
        "--host.period",
        "host_period_ns",
        type=Duration(),
        default="1s",
        show_default=True,
        help="How often real hosts are read.",
    )
    @click.option(
        "--host.password-file",
        "host_password_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="USER:PASSWORD for agents that ask for one.",
    )
    @click.option(
        "--host.ca-file",
        "host_ca_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Trust agents with certificates of these authorities, instead of the system's.",
    )
    @wraps(function)
    def command(
        *arguments: Any,
        hosts: tuple[str, ...],
        host_period_ns: int,
        host_password_file: Path | None,
        host_ca_file: Path | None,
        **options: Any,
    ) -> int:
        real = None
        if hosts:
            real = _real_hosts(hosts, host_period_ns, host_password_file, host_ca_file)
        return function(*arguments, real=real, **options)

    return command


def _real_hosts(
    hosts: tuple[str, ...], period_ns: int, password_file: Path | None, ca_file: Path | None
) -> RealHosts:
    """Return the hosts. Raises: UsageError, BadAddress."""
    context = click.get_current_context()
    for option in context.command.params:
        if option.name in _OF_THE_MODEL and (
            context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        ):
            raise UsageError(f"{option.opts[0]} is for a model, not for a real --host")
    if period_ns < _SHORTEST_PERIOD_NS:
        raise UsageError("--host.period is at least 1s")
    from hypervisor.live.sources.addresses import Access, addresses

    password = None if password_file is None else _password(password_file)
    return RealHosts(addresses(hosts, Access(password, ca_file)), period_ns)


def _password(file: Path) -> str:
    """Return USER:PASSWORD, the only line of a file. Raises: UsageError."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_PASSWORD_BYTES).decode().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"--host.password-file: {file}: {reason}") from None
    if ":" not in text or not text.isprintable():
        raise UsageError(f"--host.password-file: {file}: it is one line, USER:PASSWORD")
    return text
