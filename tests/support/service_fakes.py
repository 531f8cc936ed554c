"""A host and sessions without a model behind them, for the rooms of the service."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from hypervisor.errors import Refused, UnknownDomain
from hypervisor.host import DomainFile, OprofileDriver
from hypervisor.telemetry import HostSnapshot
from tests.support.snapshots import grumble
from xenprof.session.setup import DaemonStatus, Outcome

MS = 1_000_000


class FakeDriver:
    def read(self, name: str) -> str:
        return f"value of {name}"


class FakeOperation:
    """Is over after so many looks; then it has a result, or raises."""

    def __init__(self, result: object = None, looks: int = 1) -> None:
        self._result = result
        self._looks = looks

    @property
    def is_done(self) -> bool:
        self._looks -= 1
        return self._looks < 0

    def result(self) -> Any:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


_Any: Any = object  # mypy then takes a FakeHost for whatever protocol it stands in for


class FakeHost(_Any):  # type: ignore[misc]
    """Model time moves as told; `spend` is called with each piece of virtual time."""

    name = "fake"
    epoch_ns = 0

    def __init__(self, spend: Callable[[int], None] = lambda ns: None) -> None:
        self.now_ns = 0
        self.pieces: list[int] = []
        self.calls: list[tuple] = []
        self.files: dict[str, list[DomainFile]] = {}
        self.names = [domain.name for domain in grumble(1).domains]
        self._spend = spend
        self._generation = 0

    def advance(self, until_ns: int) -> None:
        self.pieces.append(until_ns - self.now_ns)
        self._spend(until_ns - self.now_ns)
        self.now_ns = until_ns

    def advance_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        return done()

    def snapshot(self) -> HostSnapshot:
        self._generation += 1
        snapshot = grumble(1)
        domains = [
            replace(snapshot.domains[0], domid=domid, name=name)
            for domid, name in enumerate(self.names)
        ]
        return replace(
            snapshot, generation=self._generation, time_ns=self.now_ns, domains=tuple(domains)
        )

    def oprofile(self, domain: str) -> OprofileDriver:
        return FakeDriver()  # type: ignore[return-value]

    def domain_files(self, domain: str) -> list[DomainFile]:
        return self.files.get(domain, [])

    def count_samples(self, domain: str, lost: Mapping[str, int]) -> None: ...

    def create(self, config, *, paused=False, workloads=()) -> FakeOperation:
        if config["name"] in self.names:
            raise Refused("VM name is in use")
        self.names.append(config["name"])
        return FakeOperation(len(self.names) - 1)

    def create_from_text(
        self, text, name, overrides=None, *, paused=False, is_sxp=False
    ) -> FakeOperation:
        self.calls.append(("create_from_text", text, name, overrides, paused, is_sxp))
        return FakeOperation(Refused("Not enough free memory"))

    def describe(self, text, name, overrides=None, *, is_sxp=False) -> list[object]:
        return ["vm", ["name", name]]

    def restore(self, path, *, paused=False) -> FakeOperation:
        self.calls.append(("restore", path, paused))
        return FakeOperation(1)

    def save(self, domain, path, *, checkpoint=False) -> FakeOperation:
        self.calls.append(("save", domain, path, checkpoint))
        return FakeOperation()

    def dump_core(self, domain, path=None, *, live=False, crash=False) -> FakeOperation:
        self.calls.append(("dump_core", domain, path, live, crash))
        return FakeOperation(path or "/var/xen/dump/core")

    def shutdown(self, domain: str, reason: str = "poweroff") -> None:
        self.calls.append(("shutdown", domain, reason))

    def rename(self, domain: str, name: str) -> None:
        self.calls.append(("rename", domain, name))

    def sysrq(self, domain: str, key: str) -> None:
        self.calls.append(("sysrq", domain, key))

    def trigger(self, domain: str, trigger: str, vcpu: int = 0) -> None:
        self.calls.append(("trigger", domain, trigger, vcpu))

    def set_maximum_memory(self, domain: str, mib: int) -> None:
        self.calls.append(("set_maximum_memory", domain, mib))

    def set_sched_sedf(self, domain: str, **settings: object) -> None:
        self.calls.append(("set_sched_sedf", domain, settings))

    def attach_block(self, domain, backend, frontend, mode, backend_domain="") -> FakeOperation:
        self.calls.append(("attach_block", domain, backend, frontend, mode, backend_domain))
        return FakeOperation(object())

    def configure_block(self, domain, backend, frontend, mode, backend_domain="") -> None:
        self.calls.append(("configure_block", domain, backend, frontend, mode, backend_domain))

    def detach_block(self, domain, device, *, force=False) -> None:
        self.calls.append(("detach_block", domain, device, force))

    def attach_network(self, domain, options) -> FakeOperation:
        self.calls.append(("attach_network", domain, options))
        return FakeOperation(object())

    def detach_network(self, domain, index, *, force=False) -> None:
        self.calls.append(("detach_network", domain, index, force))

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None: ...

    def take_log(self) -> list[str]:
        return []

    def dmesg(self) -> str:
        return " Xen version 3.0.3\n"

    def clear_dmesg(self) -> None:
        self.calls.append(("clear_dmesg",))

    def debug_keys(self, keys: str) -> None:
        self.calls.append(("debug_keys", keys))

    def sxp(self, domain: str) -> list[object]:
        return ["domain", ["name", domain]]

    def devices(self, domain: str, kind: str) -> list[dict[str, object]]:
        return [{"domain": domain, "kind": kind}]

    def xenstore(self) -> list[tuple[str, str]]:
        return [("/local", ""), ("/local/domain", "")]

    def console(self, domain: str) -> str:
        return f"console of {domain}\n"

    def inactive(self) -> list[dict[str, object]]:
        return []

    def pause(self, domain: str) -> None:
        if domain not in self.names:
            raise UnknownDomain(domain)
        self.calls.append(("pause", domain))

    def destroy(self, domain: str) -> None:
        self.calls.append(("destroy", domain))

    def unpause(self, domain: str) -> None:
        raise ZeroDivisionError("a bug")

    def set_vcpus(self, domain: str, count: int) -> None:
        self.calls.append(("set_vcpus", domain, count))

    def pin_vcpu(self, domain: str, vcpu, pcpus) -> None:
        self.calls.append(("pin_vcpu", domain, vcpu, pcpus))

    def set_memory(self, domain: str, mib: int) -> None:
        self.calls.append(("set_memory", domain, mib))

    def sched_credit(self, domain: str) -> tuple[int, int]:
        return 256, 50

    def set_sched_credit(self, domain: str, *, weight=None, cap_percent=None) -> None:
        self.calls.append(("set_sched_credit", domain, weight, cap_percent))

    def info(self) -> dict[str, str]:
        return {"host": "fake"}


class FakeSessions:
    """Says what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def __getattr__(self, name: str) -> Callable[..., Outcome]:
        def act(*arguments: object) -> Outcome:
            self.calls.append((name, *arguments))
            return Outcome((name,))

        return act

    def status(self, domain: str) -> DaemonStatus:
        return DaemonStatus("running", 3077)


async def ask(
    app: Any,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request to an ASGI application; return status, headers and body."""
    sent: list[Any] = []
    given = {"content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(m for m in sent if m["type"] == "http.response.start")
    content = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, content


def ask_now(*arguments: Any, **named: Any) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(ask(*arguments, **named))


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
