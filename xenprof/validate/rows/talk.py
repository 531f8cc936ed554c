"""Row 1: what the talk's loads lose in one guest against domain 0 alone."""

from typing import Final

from hypervisor.domain0 import DOMAIN_0
from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import SECOND, Table, Window, boot, guest, work

_HOST: Final = {
    "cpu": "p4-ht",
    "mhz": 3200,
    "sockets": 2,
    "cores_per_socket": 1,
    "threads_per_core": 1,
    "store": [{"name": "sda", "kind": "disk", "drive": "cheetah-15k.4", "elevator": "deadline"}],
}
_MEMORY_MIB: Final = 1024
_RH: Final = "D. J. Shakshober, Red Hat Summit 2007"


def overhead(load: Table, result: str, seconds: int, seed: int) -> tuple[float]:
    """Return what a load loses in a guest with one vcpu against domain 0 with one, in percent."""
    g = guest("g", load, memory_mib=_MEMORY_MIB, disk=["phy:/dev/g,xvda,w"])
    in_guest = Window(boot(_HOST, g, seed=seed), SECOND, seconds * SECOND)
    domain0 = {"workload": [load], "memory_mib": _MEMORY_MIB, "vcpus": 1}
    alone = Window(boot(_HOST, domain0=domain0, seed=seed), SECOND, seconds * SECOND)
    return (100 * (1 - in_guest.result("g", result) / alone.result(DOMAIN_0, result)),)


_LOADS: Final = (
    ("linpack, 1000 equations", work("linpack", n=1000), "flops", 10),
    ("AIM7, compute, 100 users", work("aim7", mix="compute", users=100), "jobs", 60),
    # A test of synchronous writes takes seconds, and how many of them a short window has is chance.
    ("AIM7, shared, 20 users", work("aim7", mix="shared", users=20), "jobs", 600),
    ("iozone, 64 MiB in the page cache", work("iozone"), "bytes", 10),
    (
        "iozone -e, deadline",
        work("iozone", file_kib=256 * 1024, fsync=True, phases=["write", "rewrite"]),
        "bytes",
        60,
    ),
)

EXPERIMENTS: Final = tuple(
    Experiment(
        1,
        overhead,
        (
            Figure(
                f"loss of one guest against domain 0: {name}",
                "%",
                (None, 5),
                None,
                5,
                "predicted",
                _RH,
            ),
        ),
        (load, result, seconds),
    )
    for name, load, result, seconds in _LOADS
)
