"""A guest whose /proc does not change, and the service in front of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from hypervisor.telemetry import DomainSnapshot
from tests.support import talk_host
from tests.support.json_service import JsonService
from xenprof.cli.console.guest import Guest
from xenprof.client import ServiceError

BEFORE: Mapping[str, str] = {
    "cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\n\n",
    "diskstats": " 202    0 xvda 1000 0 8000 9000 500 0 40000 6000 1 12000 15000\n",
    "loadavg": "1.25 0.80 0.33 2/11 1001\n",
    "meminfo": (
        "MemTotal:       507756 kB\nMemFree:         38432 kB\nBuffers:         12044 kB\n"
        "Cached:         320100 kB\nSwapCached:          0 kB\nSwapTotal:      1048568 kB\n"
        "SwapFree:       1044472 kB\n"
    ),
    "stat": (
        "cpu  20000 0 6000 60000 4000 0 0 10000\n"
        "cpu0 20000 0 6000 60000 4000 0 0 10000\n"
        "intr 250000\nbtime 1178701200\nprocs_running 2\nprocs_blocked 1\n"
    ),
    "uptime": "1000.00 640.00\n",
    "version": (
        "Linux version 2.6.18-8.el5xen (brewbuilder@build.redhat.com) (gcc version 4.1.1) "
        "#1 SMP Fri Jan 26 14:29:35 EST 2007\n"
    ),
    "vmstat": "pgpgin 4000\npgpgout 20000\npswpin 256\npswpout 1024\n",
    "701/stat": "701 (sshd) S 1" + " 0" * 18 + " 2097152 512\n",
    "1001/stat": "1001 (linpack) R 1" + " 0" * 9 + " 18000 2000" + " 0" * 7 + " 8388608 2048\n",
}
SYS: Mapping[str, str] = {
    "block/xvda/queue/scheduler": "[noop] anticipatory deadline cfq\n",
    "block/xvda/queue/nr_requests": "128\n",
}
AFTER = {
    **BEFORE,
    "diskstats": " 202    0 xvda 1200 0 9600 9900 700 0 56000 8000 0 13500 17900\n",
    "stat": (
        "cpu  20300 0 6050 60050 4025 0 0 10075\n"
        "cpu0 20300 0 6050 60050 4025 0 0 10075\n"
        "intr 255000\nctxt 1000\nbtime 1178701200\nprocs_running 4\nprocs_blocked 0\n"
    ),
    "uptime": "1005.00 640.75\n",
    "vmstat": "pgpgin 4800\npgpgout 28000\npswpin 306\npswpout 1024\n",
    "1001/stat": "1001 (linpack) R 1" + " 0" * 9 + " 18290 2010" + " 0" * 7 + " 8388608 2048\n",
}  # fmt: skip


def domain(domid: int = 3, name: str = "web", state: str = "") -> DomainSnapshot:
    """Return a domain of a snapshot; `state` is paused, crashed, ..."""
    return replace(
        talk_host.domain(domid, name, 512),
        paused=state == "paused",
        shutdown=state == "shutdown",
        crashed=state == "crashed",
        dying=state == "dying",
    )


class FakeService(JsonService):
    """A service that answers for its domains; /proc is BEFORE until time passes, then AFTER."""

    def __init__(self, *domains: DomainSnapshot, console: str = "booted\n") -> None:
        self.domains = list(domains or [domain(0, "Domain-0"), domain()])
        self.text = console
        self.files = BEFORE
        self.posts: list[tuple[str, dict[str, object]]] = []

    def answer_get(self, path: str) -> Any:
        if path == "/api/v1/snapshot":
            domains = tuple(self.domains)
            return replace(talk_host.HOST, domains=domains, unix_ns=1_178_702_200_000_000_000)
        if path == "/api/v1/managed":
            return {"domains": []}
        domid, *rest = path.removeprefix("/api/v1/domains/").split("/")
        if domid not in (str(one.domid) for one in self.domains):
            raise ServiceError(f"Domain '{domid}' does not exist.", type="UnknownDomain")
        if rest == ["console"]:
            return {"text": self.text}
        if rest == ["proc"]:
            return {"files": self.files}
        name = unquote("/".join(rest[1:]))
        if rest[0] == "sys":
            if name and name not in SYS:
                raise ServiceError(f"cat: /sys/{name}: No such file or directory", type="Refused")
            return {"text": SYS[name] if name else "".join(f"{one}\n" for one in SYS)}
        if name not in self.files:
            raise ServiceError(f"cat: /proc/{name}: No such file or directory", type="Refused")
        return {"text": self.files[name]}

    def answer_post(self, path: str, body: dict[str, Any]) -> Any:
        self.posts.append((path, body))
        if path == "/api/v1/wait":
            self.files = AFTER
        return {}


def guest(service: FakeService | None = None) -> Guest:
    return Guest(service or FakeService(), 3, "web")
