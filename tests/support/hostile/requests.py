"""Draws hostile requests to the service: every route, with one thing wrong, or with all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

from tests.support.hostile.values import data, text, value
from xenprof.service.commands import HOST_COMMANDS, OPCONTROL_COMMANDS
from xenprof.service.domain_commands import DOMAIN_COMMANDS

_CONFIG = {"config_text": "kernel = '/k'\nmemory = 4\n", "config_name": "web"}
_SETUP = {
    "events": [{"name": "GLOBAL_POWER_EVENTS", "count": 100000, "unit_mask": 1, "user": True}],
    "separate": ["cpu"],
    "kernel_range": [0, 100],
    "image_filter": ["a"],
    "buffer_size": 4096,
    "callgraph_depth": 4,
    "active_domains": "0",
    "passive_domains": "1",
    "session_dir": "/var/lib/oprofile",
    "verbose": "all",
}
_BODIES: dict[str, dict[str, Any]] = {
    "create": _CONFIG,
    "new": _CONFIG,
    "config": _CONFIG,
    "restore": {"path": "saved", "paused": True},
    "debug-keys": {"keys": "q"},
    "wait": {"seconds": 0},
    "shutdown": {"reason": "halt"},
    "save": {"path": "saved", "checkpoint": True},
    "dump-core": {"path": "core", "live": True},
    "rename": {"name": "other"},
    "sysrq": {"key": "h"},
    "write-sys": {"path": "block/sda/queue/scheduler", "text": "noop\n"},
    "trigger": {"trigger": "nmi", "vcpu": 0},
    "set-vcpus": {"count": 1},
    "pin-vcpu": {"vcpu": 0, "pcpus": [0]},
    "set-memory": {"mib": 128},
    "set-maximum-memory": {"mib": 128},
    "sched-credit": {"weight": 256, "cap_percent": 0},
    "sched-sedf": {"period_ns": 10**7, "slice_ns": 10**6, "extratime": 1, "weight": 0},
    "attach-block": {"backend": "phy:sdb1", "frontend": "xvdb", "mode": "w"},
    "configure-block": {"backend": "phy:sdb1", "frontend": "xvdb", "mode": "r"},
    "detach-block": {"device": "xvdb", "force": False},
    "attach-network": {"options": "mac=00:16:3e:00:00:01"},
    "detach-network": {"index": 0},
    "trace start": {"event_mask": 2**32 - 1, "pcpu_mask": 1, "poll_ms": 10, "threshold": 1},
    "trace read": {"format": "json"},
}
_HOST_PATHS = {
    "create": "domains", "new": "managed", "config": "config", "restore": "restore",
    "clear-dmesg": "dmesg/clear", "debug-keys": "debug-keys", "wait": "wait",
    "trace start": "trace/start", "trace read": "trace/1/read",
}  # fmt: skip
_READS = (
    "snapshot", "info", "dmesg", "xenstore", "managed", "history", "trace", "domains/0/sxp",
    "domains/busy/sched-credit", "domains/0/console", "domains/0/proc", "domains/0/proc/stat",
    "domains/0/devices/vbd", "domains/0/oprofilefs/cpu_type", "domains/0/sched-sedf",
)  # fmt: skip
_DESTROYED_LATER = ("destroy", "shutdown", "save", "suspend", "rename", "opcontrol deinit")
"""What would leave too little to attack: it is asked of a domain that is not there."""


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """A request. `path` may hold bytes as surrogates, as file names do."""

    method: str
    path: str
    body: bytes


def requests(seed: int) -> Iterator[HostileRequest]:
    """Yield hostile requests without end, the same ones for the same seed."""
    random = Random(seed)
    commands = [*_HOST_PATHS, *DOMAIN_COMMANDS, *OPCONTROL_COMMANDS]
    assert set(HOST_COMMANDS) <= set(_HOST_PATHS)
    while True:
        if random.random() < 0.2:
            path = "/api/v1/" + _broken(random, random.choice(_READS))
            yield HostileRequest("GET", path, b"")
            continue
        command = random.choice(commands)
        path = "/api/v1/" + _broken(random, _path(random, command))
        yield HostileRequest("POST", path, _body(random, command))


def _path(random: Random, command: str) -> str:
    if command in _HOST_PATHS:
        return _HOST_PATHS[command]
    domain = random.choice(("0", "busy", "1", "nobody"))
    if command in _DESTROYED_LATER:
        domain = "nobody" if random.random() < 0.95 else "busy"
    return "/".join(("domains", domain, *command.split()))


def _broken(random: Random, path: str) -> str:
    """Return a path, one in ten with a part replaced."""
    if random.random() < 0.9:
        return path
    parts = path.split("/")
    replaced = quote(text(random)[:8000], errors="surrogatepass", safe="%\udcff")
    parts[random.randrange(len(parts))] = replaced.replace("\0", "")
    return "/".join(parts)


def _body(random: Random, command: str) -> bytes:
    if random.random() < 0.1:
        return data(random)
    body = dict(_BODIES.get(command, {}))
    if command.startswith("opcontrol"):
        body = {"setup": dict(_SETUP), "name": "saved"}
        if random.random() < 0.7:
            body["setup"][random.choice(list(_SETUP))] = value(random)
            return _json(body)
    if body and random.random() < 0.9:
        body[random.choice(list(body))] = value(random)
    else:
        body[text(random)[:100]] = value(random)
    seconds = body.get("seconds", 0)
    if isinstance(seconds, int | float) and 0.01 < seconds < 1e10:  # a wait that would be kept
        body["seconds"] = -seconds
    return _json(body)


def _json(body: object) -> bytes:
    import sys

    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(body).encode()
    finally:
        sys.set_int_max_str_digits(limit)
