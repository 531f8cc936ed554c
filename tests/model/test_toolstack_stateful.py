"""Random commands on a small host: the invariants that hold after each of them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hypervisor.errors import HostError
from hypervisor.model.machine import Machine
from hypervisor.model.memory.pages import XEN_KIB
from hypervisor.toolstack.operations.operation import Operation
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, burst, cpu, domain, make_host, times_ns

LETTERS = re.compile(r"[r-][b-][p-][s-][c-][d-]")


def mostly(good: Sequence[Any], bad: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Draw a good value in seven of eight cases."""
    return st.integers(0, 7).flatmap(lambda n: st.sampled_from(bad if n == 7 else good))


# A number selects one of the present domains, modulo their number.
domains = mostly([1, 2, 3, 4, 5], [0, "0", "Domain-0", "nobody", "", "1", "migrating-a", "a-1"])
memories = mostly([16, 32, 48, 64], [-1, 0, 1, 300, 500, 10**12])
disks = mostly(
    ["phy:sda1", "phy:/dev/sda2", "phy:sda3", "file:/xen/x.img", "tap:aio:/xen/y.img"],
    ["phy:nothing", "bad"],
)
frontends = mostly(["xvda", "xvdb", "sdb1", "hdc:cdrom", "51728"], ["nonsense"])
vifs = mostly(["", "bridge=xenbr1", "rate=1MB/s"], ["bridge=none", "x=1"])
actions = mostly(["destroy", "restart", "preserve", "rename-restart"], ["explode"])
seconds = st.sampled_from([0.0002, 0.01, 0.15, 1.0, 6.0])


class Toolstack(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.operations: list[Operation] = []
        self.host: Machine
        self.highest = 0

    @initialize(tools=st.sampled_from(["3.0.3", "3.1"]))
    def boot(self, tools: str) -> None:
        self.host = make_host(
            domain("a", burst(3, 17), vcpus=2, disk=["phy:/dev/sda1,xvda,w"]),
            domain("w", cpu(), kind="hvm", vif=[], disk=[], memory_mib=64),
            memory_mib=640,
            tools=tools,
            hypervisor=tools,
        )
        self.host.toolstack.set_domain0_root(self.folder.name, dumps_crashed=True)
        self.host.toolstack.context.minimum_domain0_kib = 200 * 1024
        self.highest = 2

    def teardown(self) -> None:
        self.folder.cleanup()

    # -- the user's commands

    def command(self, act: Callable[..., Any], *given: Any, **settings: Any) -> None:
        """Run a command. One that fails at once must change nothing visible."""
        before, store = self.visible(), self.host.toolstack.views.xenstore()
        try:
            result = act(*given, **settings)
        except HostError as error:
            assert "\n" not in str(error)
            assert before == self.visible()
            assert store == self.host.toolstack.views.xenstore()
        else:
            if result is not None:
                self.operations.append(result)

    def called(self, domain: int | str) -> str:
        infos = list(self.host.toolstack.context.infos.values())
        return infos[domain % len(infos)].name if isinstance(domain, int) else domain

    def visible(self) -> Any:
        """Return everything that a user can see and time does not change."""
        host = self.host
        snapshot = host.telemetry.snapshot()
        return (
            snapshot.domains,
            snapshot.free_kib,
            snapshot.scrub_kib,
            sorted(host.toolstack.context.reserved),
        )

    @rule(
        name=mostly(["b", "c", "d", "e"], ["a", "a b"]),
        memory=memories,
        builder=mostly(["linux", "linux", "hvm"], ["odd"]),
        disk=st.lists(st.tuples(disks, frontends), max_size=2),
        vif=st.lists(vifs, max_size=3),
        ends=st.tuples(actions, actions, actions),
        paused=st.booleans(),
        vcpus=mostly([1, 2], [33]),
        waits=st.booleans(),
    )
    def create(self, name, memory, builder, disk, vif, ends, paused, vcpus, waits) -> None:
        config = {
            "name": name,
            "memory": memory,
            "maxmem": memory + 32,
            "builder": builder,
            "kernel": "/usr/lib/xen/boot/hvmloader" if builder == "hvm" else "/boot/vmlinuz",
            "disk": [f"{backend},{frontend},w" for backend, frontend in disk],
            "vif": vif,
            "vcpus": 1 if builder == "hvm" else vcpus,
            **dict(zip(("on_poweroff", "on_reboot", "on_crash"), ends, strict=True)),
        }
        self.command(self.host.toolstack.domains.create, config, paused=paused)
        if waits:
            self.wait_for_all()

    @rule(domain=domains)
    def destroy(self, domain: int | str) -> None:
        self.command(self.host.toolstack.domains.destroy, self.called(domain))

    @rule(domain=domains, reason=mostly(["poweroff", "reboot", "halt"], ["suspend", ""]))
    def shutdown(self, domain: int | str, reason: str) -> None:
        self.command(self.host.toolstack.domains.shutdown, self.called(domain), reason)

    @rule(domain=domains, do=st.sampled_from(["pause", "unpause"]))
    def stop_or_go(self, domain: int | str, do: str) -> None:
        self.command(getattr(self.host.toolstack.domains, do), self.called(domain))

    @rule(domain=domains, key=mostly(["s", "c", "b", "o", "h"], ["", "cc", "\n", "é"]))
    def sysrq(self, domain: int | str, key: str) -> None:
        self.command(self.host.toolstack.domains.sysrq, self.called(domain), key)

    @rule(domain=domains, mib=memories, which=st.sampled_from(["", "_maximum"]))
    def set_memory(self, domain: int | str, mib: int, which: str) -> None:
        self.command(
            getattr(self.host.toolstack.resources, f"set{which}_memory"), self.called(domain), mib
        )

    @rule(domain=domains, count=mostly([1, 2], [-1, 0, 3, 10**12]))
    def set_vcpus(self, domain: int | str, count: int) -> None:
        self.command(self.host.toolstack.resources.set_vcpus, self.called(domain), count)

    @rule(
        domain=domains,
        vcpu=st.none() | st.integers(-1, 2),
        pcpus=st.lists(st.integers(0, 3), max_size=3),
    )
    def pin(self, domain: int | str, vcpu: int | None, pcpus: list[int]) -> None:
        self.command(self.host.toolstack.resources.pin_vcpu, self.called(domain), vcpu, pcpus)

    @rule(
        domain=domains,
        weight=st.sampled_from([None, 0, 1, 512, 65535, 65536]),
        cap_percent=st.sampled_from([None, -1, 0, 30, 200, 201]),
    )
    def credit(self, domain: int | str, weight: int | None, cap_percent: int | None) -> None:
        self.command(
            self.host.toolstack.resources.set_sched_credit,
            self.called(domain),
            weight=weight,
            cap_percent=cap_percent,
        )

    @rule(
        domain=domains,
        backend=disks,
        frontend=frontends,
        mode=mostly(["r", "w", "w!"], ["x"]),
        do=st.sampled_from(["attach_block", "configure_block"]),
    )
    def block(self, domain: int | str, backend: str, frontend: str, mode: str, do: str) -> None:
        act = getattr(self.host.toolstack.devices, do)
        self.command(act, self.called(domain), backend, frontend, mode)

    @rule(domain=domains, device=frontends, force=st.booleans())
    def detach_block(self, domain: int | str, device: str, force: bool) -> None:
        self.command(
            self.host.toolstack.devices.detach_block, self.called(domain), device, force=force
        )

    @rule(domain=domains, options=vifs)
    def attach_network(self, domain: int | str, options: str) -> None:
        self.command(self.host.toolstack.devices.attach_network, self.called(domain), options)

    @rule(domain=domains, index=st.integers(-1, 3), force=st.booleans())
    def detach_network(self, domain: int | str, index: int, force: bool) -> None:
        self.command(
            self.host.toolstack.devices.detach_network, self.called(domain), index, force=force
        )

    @rule(domain=domains, name=mostly(["a", "b", "d", "f"], ["Domain-0", "x y", ""]))
    def rename(self, domain: int | str, name: str) -> None:
        self.command(self.host.toolstack.domains.rename, self.called(domain), name)

    @rule(
        domain=domains,
        file=mostly(["one", "two"], ["no/such/folder"]),
        checkpoint=st.booleans(),
        waits=st.booleans(),
    )
    def save(self, domain: int | str, file: str, checkpoint: bool, waits: bool) -> None:
        path = str(Path(self.folder.name) / file)
        self.command(
            self.host.toolstack.domains.save, self.called(domain), path, checkpoint=checkpoint
        )
        if waits:
            self.wait_for_all()

    @precondition(lambda self: any(Path(self.folder.name).iterdir()))
    @rule(file=st.integers(0, 3), paused=st.booleans(), waits=st.booleans())
    def restore(self, file: int, paused: bool, waits: bool) -> None:
        files = sorted(Path(self.folder.name).iterdir())
        self.command(
            self.host.toolstack.domains.restore, str(files[file % len(files)]), paused=paused
        )
        if waits:
            self.wait_for_all()

    @rule(domain=domains, live=st.booleans(), crash=st.booleans(), named=st.booleans())
    def dump_core(self, domain: int | str, live: bool, crash: bool, named: bool) -> None:
        path = str(Path(self.folder.name) / "core") if named else None
        self.command(
            self.host.toolstack.domains.dump_core, self.called(domain), path, live=live, crash=crash
        )

    @rule(time=seconds)
    def let_pass(self, time: float) -> None:
        self.host.advance(self.host.now_ns + round(time * SECOND))

    @precondition(lambda self: self.operations)
    @rule()
    def wait_for_all(self) -> None:
        operations, self.operations = self.operations, []
        over = self.host.advance_until(lambda: all(one.is_done for one in operations), 150 * SECOND)
        assert over
        for one in operations:
            try:
                one.result()
            except HostError as error:
                assert "\n" not in str(error)

    # -- the invariants

    @invariant()
    def memory_is_conserved(self) -> None:
        info = self.host.hypercalls.physical_info()
        domains_kib = sum(one.memory_kib for one in self.host.hypercalls.live.values())
        assert info.memory_kib == XEN_KIB + domains_kib + info.free_kib + info.scrub_kib
        assert min(info.free_kib, info.scrub_kib) >= 0

    @invariant()
    def ids_only_grow(self) -> None:
        host = self.host
        new = [domid for domid in host.hypercalls.live if domid > self.highest]
        self.highest = max([self.highest, *new])
        assert self.living() == set(host.toolstack.context.infos) <= set(host.hypercalls.residents)
        assert self.highest <= host.hypercalls._rover

    @invariant()
    def names_and_uuids_are_unique(self) -> None:
        infos = self.host.toolstack.context.infos.values()
        assert len({info.name for info in infos}) == len(infos)
        assert len({info.spec.uuid for info in infos}) == len(infos)
        assert {info.domid: info.name for info in infos} == {
            domid: one.name for domid, one in self.host.hypercalls.live.items() if not one.dying
        }

    def living(self) -> set[int]:
        """Return the domains that are not zombies: domain 0 still has pages of those mapped."""
        residents = self.host.hypercalls.residents
        for one in residents.values():
            assert not one.domain.dying or any(vbd.mapped for vbd in one.devices.vbds)
        return {domid for domid, one in residents.items() if not one.domain.dying}

    @invariant()
    def states_are_legal(self) -> None:
        for domid, info in self.host.toolstack.context.infos.items():
            letters = self.host.hypercalls.domain_state(domid).letters
            assert LETTERS.fullmatch(letters), letters
            assert not {"s", "c"} <= set(letters)
            assert not {"r", "p"} <= set(letters)
            assert not info.is_saving or info.name.startswith("migrating-")

    @invariant()
    def runstates_fill_the_life_of_each_vcpu(self) -> None:
        now = self.host.telemetry.snapshot()
        for one in now.domains:
            for vcpu in one.vcpus:
                assert sum(times_ns(vcpu)) == now.time_ns - measured(one.created_ns)
                assert 0 <= measured(one.cpu_ns) <= len(one.vcpus) * now.time_ns

    @invariant()
    def grants_and_ports_are_those_of_the_devices(self) -> None:
        hypercalls = self.host.hypercalls
        backends = 0
        for resident in hypercalls.residents.values():
            one = resident.domain
            devices: list[Any] = [*resident.devices.vifs, *resident.devices.vbds]
            backends += len(devices)
            own = [port for port in one.channels.ports.values() if not port.name.startswith("back")]
            assert len({port.number for port in own}) == len(own)
            assert {device.port.number for device in devices} <= set(one.channels.ports)
            assert (one.grants.used == 0) == (not devices)
        ports = hypercalls.live[0].channels.ports.values()
        assert sum(port.name.startswith("backend") for port in ports) == backends

    @invariant()
    def the_store_has_the_domains_and_their_devices(self) -> None:
        host, store = self.host, self.host.toolstack.context.store
        assert {int(name) for name in store.children("/local/domain")} == set(
            host.toolstack.context.infos
        )
        assert {f"/vm/{name}" for name in store.children("/vm")} >= {
            info.vm_path for info in host.toolstack.context.infos.values()
        }
        for domid, info in host.toolstack.context.infos.items():
            assert store.read(f"{info.path}/name") == info.name
            for kind in ("vif", "vbd", "tap"):
                numbers = {int(one) for one in store.children(f"{info.path}/device/{kind}")}
                known = {one.number for one in info.devices if one.kind == kind}
                behind = store.children(f"/local/domain/0/backend/{kind}/{domid}")
                assert numbers == known == {int(one) for one in behind}


Toolstack.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=35,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.too_slow],
)
TestToolstack = pytest.mark.no_cover(Toolstack.TestCase)
