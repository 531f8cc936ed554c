"""Commands that change the guest or let time pass, and the files that a redirection writes."""

import re
from collections.abc import Callable

from hypervisor.errors import Refused
from xenprof.cli.console.command import CommandError
from xenprof.cli.console.guest import Guest
from xenprof.cli.console.procfiles import now
from xenprof.client import ServiceError
from xenprof.wire.domain_requests import ShutDownDomain, Sysrq, WriteSys

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)([smhd]?)")
_SHUTDOWN_USAGE = "Usage: shutdown -h|-r|-P|-H now"
_REASONS = {"-h": "poweroff", "-P": "poweroff", "-H": "halt", "-r": "reboot"}
# Those of unmodified_drivers; the first one only finds the device.
_MODULES = {"xen-platform-pci": "", "xen-vbd": "vbd", "xen-vnif": "vif"}
_RUNLEVEL = "kernel/runlevel"
_GOING = {"poweroff": "system halt", "halt": "system halt", "reboot": "reboot"}


def sleep(guest: Guest, words: list[str]) -> int:
    """Let model time pass."""
    if not words:
        raise CommandError("sleep: missing operand")
    seconds = 0.0
    for word in words:
        match = _DURATION.fullmatch(word)
        if match is None:
            raise CommandError(f"sleep: invalid time interval `{word}'")
        seconds += float(match[1]) * _SECONDS[match[2]]
    guest.wait(seconds)
    return 0


def modprobe(guest: Guest, words: list[str]) -> int:
    """Load paravirtualized drivers into an HVM guest. Raises: CommandError."""
    modules = [word.replace("_", "-") for word in words]
    if not modules:
        raise CommandError("Usage: modprobe xen-vbd|xen-vnif...")
    for module in modules:
        if module not in _MODULES:
            known = ", ".join(_MODULES)
            raise CommandError(f"FATAL: Module {module} not found. (here: {known})")
    for module in modules:
        kind = _MODULES[module]
        if not kind:
            continue
        try:
            guest.do(WriteSys(f"bus/xen/drivers/{kind}/bind", kind))
        except ServiceError as error:
            if error.type != Refused.__name__:
                raise
            raise CommandError(
                f"FATAL: Error inserting {module}: No such device (only a fully virtualized guest"
                " loads it)"
            ) from None
    return 0


def ending(reason: str) -> Callable[[Guest, list[str]], int]:
    """Return the command that ends the guest in this way."""

    def end(guest: Guest, words: list[str]) -> int:
        return _end(guest, reason)

    return end


def shutdown(guest: Guest, words: list[str]) -> int:
    """End the guest at once, the only time that is supported."""
    reasons = [_REASONS[word] for word in words if word in _REASONS]
    if len(reasons) != 1 or [word for word in words if word not in _REASONS] not in (
        ["now"],
        ["0"],
    ):
        raise CommandError(_SHUTDOWN_USAGE)
    return _end(guest, reasons[0])


def _end(guest: Guest, reason: str) -> int:
    moment = now(guest.files())
    # xend can ask a fully virtualized guest for nothing; it ends by itself.
    is_hvm = guest.state().kind == "hvm"
    guest.do(WriteSys(_RUNLEVEL, reason) if is_hvm else ShutDownDomain(reason))
    print(
        f"\nBroadcast message from root (xvc0) ({moment:%a %b %e %H:%M:%S %Y}):\n\n"
        f"The system is going down for {_GOING[reason]} NOW!"
    )
    return 0


def write(guest: Guest, path: str, text: str) -> None:
    """Write the output of a command to a file of the guest. Raises: CommandError."""
    if path == "/dev/null":
        return
    if path == "/proc/sysrq-trigger":
        if text[:1].strip():
            guest.do(Sysrq(text[0]))
        return
    if path.startswith("/sys/"):
        try:
            guest.do(WriteSys(path.removeprefix("/sys/"), text))
        except ServiceError as error:
            raise CommandError(str(error)) from None
        return
    if path == "/proc/xen/balloon":
        raise CommandError(
            "-bash: /proc/xen/balloon: the target is set from Domain-0 here: "
            f"xm mem-set {guest.name} <Mem>"
        )
    raise CommandError(f"-bash: {path}: Read-only file system")
