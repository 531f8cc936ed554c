"""A toolstack that records its calls."""

from typing import Any

from hypervisor.devicerows import BlockRow, DeviceRow
from hypervisor.domainsettings import ManagedDomain
from hypervisor.errors import Refused, UnknownDomain


class FakeOperation:
    """An operation that ends after a number of looks; then it has a result, or raises."""

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


_Any: Any = object  # so that mypy accepts a FakeToolstack as any protocol


class FakeToolstack(_Any):  # type: ignore[misc]
    """All parts of a toolstack in one; `names` are the domains' by id, `calls` have arguments."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.calls: list[tuple] = []
        self.domains = self.managed = self.resources = self.devices = self
        self.views = self.xen_console = self

    def create(self, config, *, paused=False, workloads=()) -> FakeOperation:
        if config["name"] in self.names.values():
            raise Refused("VM name is in use")
        domid = max(self.names) + 1
        self.names[domid] = config["name"]
        return FakeOperation(domid)

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
        return FakeOperation()

    def configure_block(self, domain, backend, frontend, mode, backend_domain="") -> None:
        self.calls.append(("configure_block", domain, backend, frontend, mode, backend_domain))

    def detach_block(self, domain, device, *, force=False) -> None:
        self.calls.append(("detach_block", domain, device, force))

    def attach_network(self, domain, options) -> FakeOperation:
        self.calls.append(("attach_network", domain, options))
        return FakeOperation()

    def detach_network(self, domain, index, *, force=False) -> None:
        self.calls.append(("detach_network", domain, index, force))

    def set_domain0_root(self, root: str, *, dumps_crashed: bool) -> None: ...

    def domain_files(self, domain: str) -> tuple[()]:
        return ()

    def take_log(self) -> list[str]:
        return []

    def text(self) -> str:
        return " Xen version 3.0.3\n"

    def clear(self) -> None:
        self.calls.append(("clear",))

    def press(self, keys: str) -> None:
        self.calls.append(("press", keys))

    def sxp(self, domain: str) -> list[object]:
        return ["domain", ["name", domain]]

    def rows(self, domain: str, kind: str) -> list[DeviceRow]:
        return [
            BlockRow(
                backend_domid=0,
                handle=0,
                state=4,
                event_channel=-1,
                backend_path=f"{kind} of {domain}",
                sxp=["51712"],
                device=51712,
                ring_ref=8,
            )
        ]

    def xenstore(self) -> list[tuple[str, str]]:
        return [("/local", ""), ("/local/domain", "")]

    def console(self, domain: str) -> str:
        return f"console of {domain}\n"

    def inactive(self) -> list[ManagedDomain]:
        return [ManagedDomain("kept", 256, 2)]

    def pause(self, domain: str) -> None:
        if domain not in self.names.values():
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
