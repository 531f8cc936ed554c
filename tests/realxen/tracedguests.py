"""Four guests: three compute and share a pcpu, one with a cap of it, and one reads its disk."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.realxen.machine import CommandFailed, Machine

AGENT = "/srv/agent"
_ROOT = Path(__file__).parents[2]
_PARTS = ("hypervisor/__init__.py", "hypervisor/live/__init__.py", "hypervisor/live/agent")
GUESTS = ("web", "db", "batch", "idle1")


@contextmanager
def guests(machine: Machine) -> Iterator[None]:
    """Put the agent's code into domain 0, and run the guests inside the block."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for part in _PARTS:
            tar.add(_ROOT / part, part)
    machine.put(packed.getvalue(), "/tmp/agent.tar")
    machine.run(f"mkdir -p {AGENT} && tar -C {AGENT} -xf /tmp/agent.tar")
    machine.run("xl vcpu-pin Domain-0 0 0")
    try:
        for name, weight, cap in (("web", 256, 0), ("db", 512, 0), ("batch", 256, 25)):
            machine.create(name, weight=weight, cap=cap, pcpus="1", wishes="spin=1")
        machine.create("idle1", vcpus=2, wishes="io=1 address=10.9.0.9", has_disk=True)
        yield
    finally:
        for name in GUESTS:
            machine.run(f"xl destroy {name} || true")


class Recording:
    """A recording of the agent's that goes on in domain 0 until it is ended."""

    def __init__(self, machine: Machine, name: str, options: str) -> None:
        """Begin it, and wait for its first records."""
        self._machine = machine
        self._file = f"/tmp/{name}"
        machine.run(
            f"(cd {AGENT}; exec python3 -m hypervisor.live.agent.recording {self._file}.bin "
            f"{options}) >{self._file}.log 2>&1 & echo $! >{self._file}.pid"
        )
        machine.run(f"until [ -s {self._file}.bin ]; do sleep 0.1; done")

    def end(self, signal: str = "TERM") -> str:
        """End it by a signal if it has not ended; return what it has told."""
        pid = self._machine.run(f"cat {self._file}.pid").strip()
        self._machine.run(f"kill -{signal} {pid}; while [ -d /proc/{pid} ]; do sleep 0.1; done")
        return self._machine.run(f"cat {self._file}.log")

    def content(self) -> bytes:
        """Return the file."""
        return self._machine.get(f"{self._file}.bin")


def refusal(machine: Machine, command: str) -> str:
    """Return what a command says that fails."""
    try:
        machine.run(command)
    except CommandFailed as error:
        return str(error)
    raise AssertionError(f"{command} did not fail")


def running_ns(machine: Machine) -> dict[int, int]:
    """Return how long the first vcpu of each domain has run."""
    told = machine.run(
        f"cd {AGENT}; python3 -c '"
        "from hypervisor.live.agent.privcmd import PrivcmdDevice as P\n"
        "from hypervisor.live.agent.hypercalls import Xen\n"
        "x = Xen(P())\n"
        "for d in x.domains(): print(d.domid, x.vcpu(d.domid, 0).cpu_ns)'"
    )
    return {int(line.split()[0]): int(line.split()[1]) for line in told.splitlines()}
