"""Rows 2, 3, 14 and 22: what guests that compute lose to each other, to Xen and to locks."""

from itertools import pairwise
from typing import Final

from hypervisor.domain0 import DOMAIN_0
from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import (
    SECOND,
    Window,
    boot,
    boot_without_xen,
    guest,
    in_slices,
    work,
)

_XEON_HT: Final = {
    "cpu": "p4-ht",
    "mhz": 3200,
    "sockets": 2,
    "cores_per_socket": 1,
    "threads_per_core": 2,
}
_WOODCREST: Final = {
    "cpu": "core_2",
    "mhz": 3000,
    "sockets": 2,
    "cores_per_socket": 2,
    "threads_per_core": 1,
}
_XEON_2003: Final = {"cpu": "p4", "mhz": 2400, "cores_per_socket": 1, "threads_per_core": 1}
_RH: Final = "D. J. Shakshober, Red Hat Summit 2007"
_DURATION_NS: Final = 5 * SECOND
_WORK: Final = "work_seconds"


# Row 2.


def losses(seed: int) -> tuple[float, ...]:
    """Return what 1, 2 and 4 guests lose, in percent, and the least that a step loses more.

    One guest and four are compared with as many programs of domain 0, which knows no more of the
    threads of cores than Xen does; so two are with twice one.
    """
    one, two, four = (_of_guests(count, seed) for count in (1, 2, 4))
    lost = (
        100 * (1 - one / _of_domain0(1, seed)),
        100 * (1 - two / (2 * one)),
        100 * (1 - four / _of_domain0(4, seed)),
    )
    return *lost, min(more - less for less, more in pairwise(lost))


def _of_guests(count: int, seed: int) -> float:
    names = [f"g{number}" for number in range(count)]
    guests = [guest(name, work("cpu"), memory_mib=1024) for name in names]
    window = Window(boot(_XEON_HT, *guests, seed=seed), SECOND, _DURATION_NS)
    return sum(window.result(name, _WORK) for name in names)


def _of_domain0(threads: int, seed: int) -> float:
    domain0 = {"workload": [work("cpu", threads=threads)], "memory_mib": 2048}
    window = Window(boot(_XEON_HT, domain0=domain0, seed=seed), SECOND, _DURATION_NS)
    return window.result(DOMAIN_0, _WORK)


# Row 3.


def smp_scaling(seed: int) -> tuple[float]:
    """Return what a guest with four vcpus does of four times what it does with one, in percent.

    Its program spends a third of its time in the kernel, as AIM7's shared mix does.
    """
    one, four = (
        Window(
            boot(
                _WOODCREST,
                guest("g", work("cpu", program="httpd", threads=vcpus), vcpus=vcpus),
                seed=seed,
            ),
            SECOND,
            _DURATION_NS,
        ).result("g", _WORK)
        for vcpus in (1, 4)
    )
    return (100 * four / (4 * one),)


# Row 14.


def overhead(seed: int) -> tuple[float]:
    """Return by how much longer a program computes than on the same host without Xen."""
    one = _XEON_2003 | {"sockets": 1}
    with_xen = Window(boot(one, guest("g", work("cpu")), seed=seed), SECOND, 2 * _DURATION_NS)
    native = Window(boot_without_xen(one, work("cpu"), seed=seed), SECOND, 2 * _DURATION_NS)
    return (100 * (native.result(DOMAIN_0, _WORK) / with_xen.result("g", _WORK) - 1),)


# Row 22.

_HOGS: Final = 128


def sliced(slice_ms: int, seed: int) -> tuple[float]:
    """Return what 128 guests with slices of this length do more than two do, in percent."""
    few, many = (
        in_slices(
            _XEON_2003, work("cpu"), _WORK, seed,
            count=count, slice_ms=slice_ms, memory_mib=32 if count == _HOGS else 128,
        )
        for count in (2, _HOGS)
    )  # fmt: skip
    return (100 * (many / few - 1),)


EXPERIMENTS: Final = (
    Experiment(
        2,
        losses,
        (
            *(
                Figure(metric, "%", (None, 15), None, 15, "predicted", _RH)
                for metric in (
                    "loss of 1 guest against domain 0 alone",
                    "loss of 2 guests against twice one",
                    "loss of 4 guests against domain 0 alone with 4 programs",
                )
            ),
            Figure(
                "least that 2 guests lose more than 1, and 4 than 2",
                "points",
                (0, None),
                -0.5,
                None,
                "predicted",
                _RH,
            ),
        ),
    ),
    Experiment(
        3,
        smp_scaling,
        (Figure("four vcpus, of four times one", "%", 80, 72, 88, "calibrated", _RH),),
    ),
    Experiment(
        14,
        overhead,
        (
            Figure(
                "time that a computing program takes longer",
                "%",
                0,
                None,
                1,
                "predicted",
                "Barham et al., SOSP 2003, figure 3 (SPEC INT2000)",
            ),
        ),
    ),
    *(
        Experiment(
            22,
            sliced,
            (
                Figure(
                    f"work of 128 guests in slices of {slice_ms} ms, more than that of 2",
                    "%",
                    published,
                    low,
                    high,
                    "predicted",
                    "Barham et al., SOSP 2003, figure 6",
                ),
            ),
            (slice_ms,),
        )
        for slice_ms, published, low, high in ((5, -7.5, -10, -5), (50, -1, -2, 0))
    ),
)
