"""Lists the subcommands in the order of xm's help. Their modules are imported when needed.

The subcommand `mem-set` is `MEM_SET` in its module.
"""

from collections.abc import Callable
from importlib import import_module

from xenprof.cli.xm.command import OLDEST, Command

_MODULES = {
    "console": "console",
    "create": "create",
    "new": "create",
    "delete": "managed",
    "destroy": "domains",
    "domid": "names",
    "domname": "names",
    "dump-core": "saving",
    "list": "listing",
    "mem-max": "domains",
    "mem-set": "domains",
    "migrate": "migrate",
    "pause": "domains",
    "reboot": "shutdown",
    "rename": "names",
    "restore": "saving",
    "resume": "managed",
    "save": "saving",
    "shutdown": "shutdown",
    "start": "managed",
    "suspend": "managed",
    "sysrq": "domains",
    "trigger": "domains",
    "top": "top",
    "unpause": "domains",
    "uptime": "names",
    "vcpu-list": "listing",
    "vcpu-pin": "domains",
    "vcpu-set": "domains",
    "debug-keys": "host",
    "dmesg": "host",
    "info": "host",
    "log": "host",
    "serve": "host",
    "sched-credit": "sched",
    "sched-sedf": "sched",
    "block-attach": "devices",
    "block-detach": "devices",
    "block-list": "devicelists",
    "block-configure": "devices",
    "network-attach": "devices",
    "network-detach": "devices",
    "network-list": "devicelists",
    "vtpm-list": "devicelists",
    "vnet-list": "vnet",
    "vnet-create": "vnet",
    "vnet-delete": "vnet",
    "labels": "policy",
    "addlabel": "policy",
    "rmlabel": "policy",
    "getlabel": "policy",
    "dry-run": "policy",
    "resources": "policy",
    "makepolicy": "policy",
    "loadpolicy": "policy",
    "cfgbootpolicy": "policy",
    "dumppolicy": "policy",
    "shell": "shell",
}
_ADDED_BY_3_1 = frozenset(
    ("new", "delete", "start", "suspend", "resume", "trigger", "debug-keys", "shell")
)
COMMON = (
    "console", "create", "new", "delete", "destroy", "dump-core", "help", "list", "mem-set",
    "migrate", "pause", "reboot", "restore", "resume", "save", "shell", "shutdown", "start",
    "suspend", "top", "unpause", "uptime", "vcpu-set",
)  # fmt: skip
"""The subcommands of the short help, as far as the version has them."""
DEPRECATED = {
    "balloon": "mem-set",
    "set-vcpus": "vcpu-set",
    "vif-list": "network-list",
    "vbd-create": "block-attach",
    "vbd-destroy": "block-detach",
    "vbd-list": "block-list",
}
_SLIPS = {"csched": "sched-credit"}  # the spelling of the 2007 talk


def names(tools: str) -> list[str]:
    """Return the subcommands of a version of the tools, in the order of help."""
    return [name for name in _MODULES if tools != OLDEST or name not in _ADDED_BY_3_1]


def load(name: str) -> Command:
    """Return a subcommand of the table."""
    module = import_module(f"xenprof.cli.xm.{_MODULES[name]}")
    command: Command = getattr(module, name.upper().replace("-", "_"))
    return command


def find_command(typed: str, tools: Callable[[], str]) -> Command | None:
    """Return the subcommand with this name, alias or unique prefix of two letters or more.

    `tools` returns the version; it is called only where the answer depends on it.
    """
    name = DEPRECATED.get(typed) or _SLIPS.get(typed) or typed
    if name in _MODULES and name not in _ADDED_BY_3_1:
        return load(name)
    offered = names(tools())
    found = [known for known in offered if known == name]
    if not found and len(name) >= 2:
        found = [known for known in offered if known.startswith(name)]
    return load(found[0]) if len(found) == 1 else None
