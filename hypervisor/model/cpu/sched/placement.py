"""Places a new vcpu, in the same way for all schedulers.

Source: xen/common/domctl.c (3.0.3), default_vcpu0_location and what calls it.
"""

from collections.abc import Sequence

from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import Vcpu


def first_home(
    vcpu: Vcpu, previous: int | None, population: Sequence[int], topology: Topology
) -> int:
    """Return the pcpu of a new vcpu, before its affinity is applied.

    `previous` is the pcpu of its domain's last vcpu, None for the first one; `population` has the
    pcpus of all vcpus of the host. Domain 0 is built first: its vcpu n starts on pcpu n.
    """
    pcpus = topology.pcpus
    if vcpu.domain.domid == 0:
        return vcpu.vcpu_id % pcpus
    if previous is not None:
        return (previous + 1) % pcpus
    count = [0] * pcpus
    for pcpu in population:
        count[pcpu] += 1
    # Of a hyper-threaded core only the second thread is taken, so that the first guests are spread
    # over cores; if two pcpus have as many vcpus, the higher number is.
    candidates = range(topology.threads_per_core - 1, pcpus, topology.threads_per_core)
    return min(candidates, key=lambda pcpu: (count[pcpu], -pcpu))
