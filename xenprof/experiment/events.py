"""What happens on a host in the middle of a run: commands of domain 0, as they are typed there."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from hypervisor.control import Toolstack
from hypervisor.cpus import parse_cpus
from hypervisor.domain0 import DOMAIN_0, DOMAIN_0_ID
from hypervisor.errors import HostError
from hypervisor.host import Host, toolstack_of
from hypervisor.nearest import hint
from xenprof.experiment.errors import ExperimentError

Action: TypeAlias = Callable[[Toolstack], None]

_ELEVATOR: Final = re.compile(r"echo (\S+) > /sys/(block/\S+)")


class NoSuchCommand(ExperimentError):
    """Says what is wrong with a command, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Event:
    """A command at a time after the warm-up."""

    at_ns: int
    command: str

    def happen(self, host: Host) -> None:
        """Do it. Raises: HostError."""
        parsed(self.command).do(toolstack_of(host))


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be done; `domain` is the one that it names, None if none."""

    do: Action
    domain: str | None


def parsed(text: str) -> Command:
    """Return a command. Raises: NoSuchCommand."""
    if match := _ELEVATOR.fullmatch(text):
        value, name = match[1], match[2]
        return Command(lambda stack: stack.views.write_sys(DOMAIN_0, name, value + "\n"), None)
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise NoSuchCommand(str(error)) from None
    name = words[1] if words[:1] == ["xm"] and len(words) > 1 else text
    if words[:1] != ["xm"] or name not in _FORMS:
        raise NoSuchCommand(
            f"unknown command{hint(name, _FORMS)}; there are "
            f"{'; '.join(f'xm {form}' for form, _ in _FORMS.values())}; "
            "echo ELEVATOR > /sys/block/DEVICE/queue/scheduler"
        )
    form, make = _FORMS[name]
    try:
        return make(words[2:])
    except (ValueError, HostError) as error:
        why = f" ({error})" if isinstance(error, HostError) else ""
        raise NoSuchCommand(f"write xm {form}{why}") from None


def check_domain(command: Command, names: list[str]) -> None:
    """Check that the domain of a command is there. Raises: NoSuchCommand."""
    known = [DOMAIN_0, *names]
    if command.domain not in (None, str(DOMAIN_0_ID), *known):
        near = hint(str(command.domain), known)
        raise NoSuchCommand(f"no domain '{command.domain}'{near}; there are {', '.join(known)}")


def _memory(words: list[str]) -> Command:
    domain, text = words
    mib = _whole(text)
    return Command(lambda stack: stack.resources.set_memory(domain, mib), domain)


def _vcpus(words: list[str]) -> Command:
    domain, text = words
    count = _whole(text)
    return Command(lambda stack: stack.resources.set_vcpus(domain, count), domain)


def _pin(words: list[str]) -> Command:
    domain, vcpu, text = words
    number = None if vcpu == "all" else _whole(vcpu)
    pcpus = parse_cpus("0-31" if text == "all" else text)
    return Command(lambda stack: stack.resources.pin_vcpu(domain, number, pcpus), domain)


def _credit(words: list[str]) -> Command:
    given = dict(zip(words[::2], words[1::2], strict=True))
    domain = given.pop("-d", "")
    weight, cap = (_whole(given.pop(key)) if key in given else None for key in ("-w", "-c"))
    if given or not domain or weight is None is cap:
        raise ValueError
    return Command(
        lambda stack: stack.resources.set_sched_credit(domain, weight=weight, cap_percent=cap),
        domain,
    )


def _pause(words: list[str]) -> Command:
    (domain,) = words
    return Command(lambda stack: stack.domains.pause(domain), domain)


def _unpause(words: list[str]) -> Command:
    (domain,) = words
    return Command(lambda stack: stack.domains.unpause(domain), domain)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError
    return int(text)


_FORMS: Final[dict[str, tuple[str, Callable[[list[str]], Command]]]] = {
    "mem-set": ("mem-set DOMAIN MIB", _memory),
    "vcpu-set": ("vcpu-set DOMAIN VCPUS", _vcpus),
    "vcpu-pin": ("vcpu-pin DOMAIN VCPU|all CPUS|all", _pin),
    "sched-credit": ("sched-credit -d DOMAIN -w WEIGHT -c CAP", _credit),
    "pause": ("pause DOMAIN", _pause),
    "unpause": ("unpause DOMAIN", _unpause),
}
"""Command of xm -> how it is written, and what makes it."""
