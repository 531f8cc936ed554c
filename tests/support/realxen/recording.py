"""A trace that the agent records in domain 0 of a real Xen."""

from tests.support.realxen.machine import CommandFailed, Machine
from tests.support.realxen.outside import FILE


class Recording:
    """A recording of the agent's that goes on in domain 0 until it is ended."""

    def __init__(self, machine: Machine, name: str, options: str) -> None:
        """Begin it, and wait for its first records."""
        self._machine = machine
        self._file = f"/tmp/{name}"
        machine.run(
            f"python3 -I {FILE} trace {self._file}.bin {options} "
            f">{self._file}.log 2>&1 & echo $! >{self._file}.pid"
        )
        # A file takes its name when it is whole.
        begun = f"find /tmp -name '.{name}.bin.*' -size +0"
        machine.run(f'until [ -n "$({begun})" ]; do sleep 0.1; done')

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
        f"PYTHONPATH={FILE} python3 -c '"
        "from hypervisor.live.agent.xen.privcmd import PrivcmdDevice as P\n"
        "from hypervisor.live.agent.xen.hypercalls import Xen\n"
        "x = Xen(P())\n"
        "for d in x.domains(): print(d.domid, x.vcpu(d.domid, 0).cpu_ns)'"
    )
    return {int(line.split()[0]): int(line.split()[1]) for line in told.splitlines()}
