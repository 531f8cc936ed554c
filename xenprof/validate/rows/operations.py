"""Rows 15, 17, 18 and 19: what operations of a guest's kernel take, and a kernel build."""

from typing import Final

from xenprof.validate.figure import Experiment, Figure, Use
from xenprof.validate.hosts import SECOND, Window, boot, domain_of, guest, lengthened, work

_HOST: Final = {
    "cpu": "p4",
    "mhz": 2400,
    "sockets": 1,
    "cores_per_socket": 1,
    "threads_per_core": 1,
    "arch": "i386",
}
_DURATION_NS: Final = SECOND // 2


def build(seed: int) -> tuple[float]:
    """Return by how much longer a kernel is compiled than without Xen and domain 0, in percent."""
    host = boot(_HOST, guest("g", work("build")), seed=seed)
    return (lengthened(Window(host, SECOND, 20 * SECOND), "g"),)


def operation(test: str, seed: int) -> tuple[float]:
    """Return the microseconds of an operation in a guest with one vcpu."""
    host = boot(_HOST, guest("g", work("lmbench", test=test)), seed=seed)
    host.advance(_DURATION_NS)
    each = domain_of(host.telemetry.snapshot(), "g").workloads[0]["operation_seconds"]
    assert isinstance(each, float)
    return (each * 1e6,)


def _experiment(
    row: int, test: str, metric: str, published: float, off_percent: int, use: Use, table: int
) -> Experiment:
    low, high = (published * (100 + sign * off_percent) / 100 for sign in (-1, 1))
    source = f"Barham et al., SOSP 2003, table {table}"
    figure = Figure(metric, "us", published, low, high, use, source)
    return Experiment(row, operation, (figure,), (test,))


EXPERIMENTS: Final = (
    Experiment(
        15,
        build,
        (
            Figure(
                "time that a kernel build takes longer",
                "%",
                3.0,
                2,
                5,
                "predicted",
                "Barham et al., SOSP 2003, figure 3",
            ),
        ),
    ),
    _experiment(17, "page_fault", "page fault", 2.73, 15, "calibrated", 5),
    _experiment(18, "fork", "fork", 198, 20, "predicted", 3),
    _experiment(18, "exec", "exec", 768, 20, "predicted", 3),
    _experiment(18, "sh", "sh", 4800, 20, "predicted", 3),
    _experiment(19, "context_switch", "process switch, 2p/0K", 1.97, 20, "calibrated", 4),
)
