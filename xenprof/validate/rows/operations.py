"""Rows 15, 17, 18 and 19: what operations of a guest's kernel take, and a kernel build."""

from typing import Final

from hypervisor.domain0 import DOMAIN_0
from xenprof.validate.figure import Experiment, Figure, Use
from xenprof.validate.hosts import (
    SECOND,
    Table,
    Window,
    boot,
    boot_without_xen,
    domain_of,
    guest,
    work,
)

_HOST: Final = {
    "cpu": "p4",
    "mhz": 2400,
    "sockets": 1,
    "cores_per_socket": 1,
    "threads_per_core": 1,
    "arch": "i386",
}
_DURATION_NS: Final = SECOND // 2
_BUILD_NS: Final = 200 * SECOND  # a thousand objects


def build(seed: int) -> tuple[float]:
    """Return by how much longer a kernel is compiled than on the same host without Xen."""
    with_xen = Window(boot(_HOST, guest("g", work("build")), seed=seed), SECOND, _BUILD_NS)
    native = Window(boot_without_xen(_HOST, work("build"), seed=seed), SECOND, _BUILD_NS)
    return (100 * (native.result(DOMAIN_0, "objects") / with_xen.result("g", "objects") - 1),)


def operation(test: str, seed: int) -> tuple[float]:
    """Return the microseconds of an operation in a guest with one vcpu."""
    return (_operation({"test": test}, seed),)


def switch(processes: int, working_kib: int, seed: int) -> tuple[float]:
    """Return the microseconds of a switch among processes that walk over arrays."""
    given = {"test": "context_switch", "processes": processes, "working_kib": working_kib}
    return (_operation(given, seed),)


def added(seed: int) -> tuple[float]:
    """Return by how many microseconds a switch takes longer than on the same host without Xen."""
    given = {"test": "context_switch"}
    host = boot_without_xen(_HOST, work("lmbench", **given), seed=seed)
    host.advance(_DURATION_NS)
    native = domain_of(host.telemetry.snapshot(), DOMAIN_0).workloads[0]["operation_seconds"]
    assert isinstance(native, float)
    return (_operation(given, seed) - native * 1e6,)


def _operation(given: Table, seed: int) -> float:
    host = boot(_HOST, guest("g", work("lmbench", **given)), seed=seed)
    host.advance(_DURATION_NS)
    each = domain_of(host.telemetry.snapshot(), "g").workloads[0]["operation_seconds"]
    assert isinstance(each, float)
    return each * 1e6


def _figure(
    metric: str, published: float, off_percent: int, use: Use, table: int, missing: str = ""
) -> Figure:
    low, high = (published * (100 + sign * off_percent) / 100 for sign in (-1, 1))
    source = f"Barham et al., SOSP 2003, table {table}"
    return Figure(metric, "us", published, low, high, use, source, missing)


def _experiment(
    row: int,
    test: str,
    metric: str,
    published: float,
    off_percent: int,
    use: Use,
    table: int,
    missing: str = "",
) -> Experiment:
    figure = _figure(metric, published, off_percent, use, table, missing)
    return Experiment(row, operation, (figure,), (test,))


_SIGNAL: Final = (
    "by the same table native Linux takes 0.74 us longer for a signal than the same kernel under "
    "Xen, and the model takes what native Linux does"
)
_PROTECTION: Final = (
    "Xen 1 added 0.34 us to a fault that a program made; here it is given to the kernel and "
    "returned from as a page fault is, which is 0.9 us"
)
_COLOURS: Final = (
    "lines of several arrays have one place in a cache that is not fully associative, and push "
    "each other out: here all arrays stay in the cache as long as they fit"
)
_OPERATIONS: Final = (
    ("null_io", "null I/O", 0.50, 3, ""),
    ("stat", "stat", 1.22, 3, ""),
    ("open_close", "open and close", 1.88, 3, ""),
    ("select", "select of TCP sockets", 5.69, 3, ""),
    ("signal_install", "signal install", 0.69, 3, ""),
    ("signal_handle", "signal handle", 1.75, 3, _SIGNAL),
    ("create", "creation of an empty file", 32.5, 5, ""),
    ("delete", "its deletion", 5.86, 5, ""),
    ("create_10k", "creation of a file of 10 KiB", 68.2, 5, ""),
    ("delete_10k", "its deletion, 10 KiB", 13.6, 5, ""),
    ("mmap", "mmap", 139, 5, ""),
    ("protection_fault", "protection fault", 1.40, 5, _PROTECTION),
)
_SWITCHES: Final = (
    (2, 16, 2.22, ""),
    (2, 64, 2.67, ""),
    (8, 16, 3.07, _COLOURS),
    (8, 64, 28.7, ""),
    (16, 16, 7.08, _COLOURS),
    (16, 64, 39.4, _COLOURS),
)

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
    _experiment(18, "null_call", "null call", 0.46, 20, "calibrated", 3),
    _experiment(18, "fork", "fork", 198, 20, "predicted", 3),
    _experiment(18, "exec", "exec", 768, 20, "predicted", 3),
    _experiment(18, "sh", "sh", 4800, 20, "predicted", 3),
    *(
        _experiment(18, test, metric, published, 20, "predicted", table, missing)
        for test, metric, published, table, missing in _OPERATIONS
    ),
    _experiment(19, "context_switch", "process switch, 2p/0K", 1.97, 20, "calibrated", 4),
    Experiment(
        19,
        added,
        (
            Figure(
                "what Xen adds to a process switch",
                "us",
                (1, 3),
                1,
                3,
                "calibrated",
                "Barham et al., SOSP 2003, section 3.2",
            ),
        ),
    ),
    *(
        Experiment(
            19,
            switch,
            (
                _figure(
                    f"process switch, {processes}p/{kib}K", published, 20, "predicted", 4, missing
                ),
            ),
            (processes, kib),
        )
        for processes, kib, published, missing in _SWITCHES
    ),
)
