"""Makes guests with less memory than they want, for the tests of ballooning and paging."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypervisor.model.domain.domain import Domain
from hypervisor.model.machine import Machine
from hypervisor.model.memory.paging import Paging
from hypervisor.model.resident import Resident
from hypervisor.telemetry import DomainSnapshot, VbdSnapshot
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, domain, make_host, seen

NEED_MIB = 96  # a guest's kernel and daemons, booted with 128 MiB, and 64 MiB


def resident(host: Machine, name: str = "a") -> Resident:
    found = host.hypercalls.find(name)
    assert found is not None
    return found


def live(host: Machine, name: str = "a") -> Domain:
    return resident(host, name).domain


def paging(host: Machine, name: str = "a") -> Paging:
    return resident(host, name).paging


@dataclass(slots=True)
class Run:
    """A host whose guest `a` has been squeezed, with its state at that time."""

    host: Machine
    before: DomainSnapshot

    @property
    def now(self) -> DomainSnapshot:
        return seen(self.host, "a")

    @property
    def paging(self) -> Paging:
        return paging(self.host)

    @property
    def vbd(self) -> VbdSnapshot:
        return self.now.vbds[0]

    def gained(self, key: str, index: int = 0) -> Any:
        """Return the work of a workload since then."""
        now: Any = self.now.workloads[index][key]
        return now - self.before.workloads[index][key]

    @property
    def reads(self) -> int:
        """Return the read requests of its first disk since then."""
        return measured(self.vbd.read_requests) - measured(self.before.vbds[0].read_requests)

    def advance(self, seconds: int) -> None:
        self.host.advance(self.host.now_ns + seconds * SECOND)


def squeeze(mib: int, *workloads: Mapping[str, Any], seconds: int = 6, **settings: Any) -> Run:
    """Return a host whose guest booted with 128 MiB, was ballooned to `mib`, and then ran."""
    host = make_host(domain("a", *workloads, **settings))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", mib)
    host.advance((3 + max(0, NEED_MIB - mib) // 2) * SECOND)
    run = Run(host, seen(host, "a"))
    run.advance(seconds)
    return run


class Console:
    """What the kernel of `a` says from now on, and when it panics, which does not end it."""

    def __init__(self, host: Machine) -> None:
        self.panics: list[int] = []
        self.pager = paging(host)
        self._host = host
        self._console = live(host).console
        self._before = self._console.text()
        resident(host).guest.panic = self._panicked

    def _panicked(self) -> None:
        self.panics.append(self._host.now_ns)

    @property
    def lines(self) -> list[str]:
        """Return what was added; few enough lines that the console still has all of them."""
        text = self._console.text()
        assert text.startswith(self._before)
        return text.removeprefix(self._before).splitlines()

    @property
    def killed(self) -> list[str]:
        return [line.split("(")[1].rstrip(").") for line in self.lines if "Killed" in line]
