"""`xenprof agent`: reads the Xen of this machine, whose domain 0 it must be, and serves that."""

from collections.abc import Sequence

from hypervisor.live.agent.main import main as run
from xenprof.cli.stdout import ends_well
from xenprof.version import version


@ends_well("xenprof agent")
def main(argv: Sequence[str]) -> int:
    """Run the agent, as the file that `make agent` builds does."""
    return run(argv, version(), "xenprof agent")
