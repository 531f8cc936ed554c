"""Tells what to type on a host that is only watched, in the place of a command of xm."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from xenprof.client import Service, ServiceError
from xenprof.xentop.fetch import newest

_SAME: Final = frozenset(
    (
        "block-attach", "block-detach", "block-list", "console", "create", "debug-keys", "destroy",
        "dmesg", "domid", "domname", "dump-core", "info", "list", "mem-max", "mem-set", "migrate",
        "network-attach", "network-detach", "network-list", "pause", "reboot", "rename", "restore",
        "save", "shutdown", "sysrq", "trigger", "unpause", "uptime", "vcpu-list", "vcpu-pin",
        "vcpu-set",
    )
)  # fmt: skip
"""The commands that xl has by the same name. Source: tools/xl/xl_cmdtable.c (4.17)."""
_LOG: Final = "tail /var/log/xen/xl-*.log"
_SCHEDULERS: Final[Mapping[str, str]] = {"credit": "sched-credit", "credit2": "sched-credit2"}


def there(client: Service, name: str, words: Sequence[str]) -> str:
    """Return the end of a message: the command for domain 0 of the host, "" if there is none.

    `name` is that of the command in full, `words` follow it.
    """
    try:
        host = newest(client)
    except ServiceError:
        return ""
    if host.xen_version is None and host.tools is None:
        return ""  # no Xen is known to be there
    if host.tools == "xapi":
        return "; in its domain 0 that is xe"
    if name == "log":
        return f"; in its domain 0: {_LOG}"
    verb = _SCHEDULERS.get(host.scheduler or "") if name == "sched-credit" else name
    if verb is None or (name != "sched-credit" and verb not in _SAME):
        return ""
    return f"; in its domain 0: {shlex.join(['xl', verb, *words])}"
