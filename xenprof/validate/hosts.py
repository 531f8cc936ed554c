"""Builds the hosts of experiments, and reads what happened on them between two moments."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hypervisor.host import Host
from hypervisor.model import machine
from hypervisor.model.scenario.spec import Scenario
from hypervisor.telemetry import DomainSnapshot, HostSnapshot, ModeTimes, VifSnapshot

MS = 1_000_000
SECOND = 1_000_000_000
Table = Mapping[str, Any]
Machine: TypeAlias = machine.Machine


def guest(name: str, *workloads: Table, **settings: Any) -> dict[str, Any]:
    """Return a paravirtualized guest with a network interface; `settings` are as in a scenario."""
    plain = {"name": name, "memory_mib": 256, "vif": ["bridge=xenbr0"]}
    return plain | settings | {"workload": list(workloads)}


def work(kind: str, **given: Any) -> dict[str, Any]:
    """Return a workload."""
    return {"kind": kind, **given}


def boot(
    host: Table, *guests: Table, seed: int, domain0: Table | None = None, nics: Sequence[Table] = ()
) -> Machine:
    """Return a booted host; the tables are as in a scenario. No limits of support apply to it."""
    settings = {"support_limits": False, "memory_mib": 16_384} | dict(host) | {"seed": seed}
    tables = {
        "host": settings | ({"nic": list(nics)} if nics else {}),
        "domain0": {"memory_mib": 512} | dict(domain0 or {}),
        "domain": list(guests),
    }
    return machine.build(Scenario.model_validate(tables), epoch_ns=0)


def boot_without_xen(
    host: Table, *workloads: Table, seed: int, memory_mib: int = 512, nics: Sequence[Table] = ()
) -> Machine:
    """Return the same host with one operating system on the bare metal, and no Xen."""
    domain0 = {"workload": list(workloads), "memory_mib": memory_mib}
    return boot(dict(host) | {"hypervisor": "none"}, domain0=domain0, seed=seed, nics=nics)


class Window:
    """The time between two snapshots of a host."""

    def __init__(self, host: Host, warm_up_ns: int, duration_ns: int) -> None:
        """Run the host: a while that does not count, then the window."""
        host.advance(host.now_ns + warm_up_ns)
        self._before = host.telemetry.snapshot()
        host.advance(host.now_ns + duration_ns)
        self._after = host.telemetry.snapshot()
        self.duration_ns = duration_ns

    def spent(self, name: str) -> ModeTimes:
        """Return the running time of a domain."""
        then, now = (domain_of(one, name) for one in (self._before, self._after))
        return ModeTimes(
            _known(now.user_ns) - _known(then.user_ns),
            _known(now.kernel_ns) - _known(then.kernel_ns),
            _known(now.hypervisor_ns) - _known(then.hypervisor_ns),
        )

    def share(self, name: str) -> float:
        """Return what a domain has run, in percent of one pcpu."""
        return 100 * self.spent(name).total_ns / self.duration_ns

    def result(self, name: str, key: str, workload: int = 0) -> float:
        """Return by how much a result of a domain's workload has grown."""
        then, now = (
            domain_of(one, name).workloads[workload].get(key, 0)
            for one in (self._before, self._after)
        )
        assert isinstance(then, int | float) and isinstance(now, int | float)
        return now - then

    def per_second(self, name: str, key: str, workload: int = 0) -> float:
        """Return by how much such a result grows in a second."""
        return self.result(name, key, workload) * 1e9 / self.duration_ns


def in_slices(
    host: Table, load: Table, result: str, seed: int, *, count: int, slice_ms: int, **settings: Any
) -> float:
    """Return what guests on two pcpus get done in each second that they run.

    Each has its slice in every round of all, and no extra time. The window is ten rounds, and two
    seconds at least.
    """
    round_ms = max(slice_ms * count / 2 * 1.02, slice_ms + 1)
    schedule = {
        "sedf_period_ms": round_ms,
        "sedf_slice_ms": slice_ms,
        "sedf_extratime": False,
    }
    names = [f"g{number}" for number in range(count)]
    window = Window(
        boot(
            {**host, "sockets": 2, "scheduler": "sedf"},
            *(
                guest(name, load, disk=[f"phy:/dev/{name},xvda,w"], **schedule, **settings)
                for name in names
            ),
            domain0={"vcpus": 1},
            seed=seed,
        ),
        SECOND,
        max(round(10 * round_ms * MS), 2 * SECOND),
    )
    ran_ns = sum(window.spent(name).total_ns for name in names)
    return sum(window.result(name, result) for name in names) * 1e9 / ran_ns


def domain_of(snapshot: HostSnapshot, name: str) -> DomainSnapshot:
    """Return the domain of a name."""
    return next(one for one in snapshot.domains if one.name == name)


def vif_of(host: Host, name: str) -> VifSnapshot:
    """Return the present state of a domain's first network interface."""
    return domain_of(host.telemetry.snapshot(), name).vifs[0]


def _known(value: int | None) -> int:
    assert value is not None
    return value
