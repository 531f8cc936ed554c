"""Rows 38 and 39: what profiling costs, and how many samples there are."""

import math
from collections.abc import Sequence
from typing import Final

from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import SECOND, Machine, Window, boot, guest, work
from xenprof.validate.rows.sampling import APART, HOST, LARGE, MHZ, count, counters, exact

_LAW: Final = "C. Love, oprofile-list, October 2004"

# Row 38.

PERIODS: Final = (50_000, 100_000, 1_000_000)
SHORT_PERIODS: Final = (10_000, 50_000, 100_000)
_SAMPLE_PERIOD: Final = 100_000


def _work_done(period: int | None, seed: int) -> float:
    """Return the work of a guest that computes for two seconds, profiled or not."""
    host = boot(HOST, guest("g", work("cpu"), cpus="1"), domain0=APART, seed=seed)
    if period is not None:
        for name, value in (LARGE | {"buffer_watershed": "1000"}).items():
            host.profiler.oprofile("1").write(name, value)
        count(host, period, (0, 1))
    return Window(host, SECOND, 2 * SECOND).result("g", "work_seconds")


def cost_law(seed: int) -> tuple[float, ...]:
    """Return the slopes of slowdown over period, as logarithms, and the cycles of a sample."""
    free = _work_done(None, seed)
    slowdowns = {
        period: free / _work_done(period, seed) - 1 for period in {*PERIODS, *SHORT_PERIODS}
    }
    slopes = [
        slope_of([math.log(one) for one in some], [math.log(slowdowns[one]) for one in some])
        for some in (PERIODS, SHORT_PERIODS)
    ]
    return *slopes, slowdowns[_SAMPLE_PERIOD] * _SAMPLE_PERIOD


def slope_of(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the slope of the line through points with the least squares."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return over / sum((x - mean_x) ** 2 for x in xs)


# Row 39.


def balance(seed: int) -> tuple[float, float]:
    """Return the chi-square probability of samples by domain and mode, and what total lacks."""
    guests = (
        guest("busy", work("cpu", program="httpd")),
        guest("bursty", work("burst", run_ms=3, sleep_ms=5)),
        guest("network", work("netperf", direction="receive", rate_bits_per_second=50_000_000)),
    )
    host = boot(HOST, *guests, domain0={"vcpus": 1}, seed=seed)
    host.advance(SECOND // 10)
    period = 50_000
    count(host, period, (0, 1, 2), (3,))
    before = _mode_times(host)
    host.advance(host.now_ns + SECOND)
    told = counters(host)
    after = _mode_times(host)
    counted = dict.fromkeys(after, 0)
    for row in host.telemetry.snapshot().samples:
        counted[row.domain, int(row.mode)] += row.samples
    terms = [
        (samples - expected) ** 2 / expected
        for key, samples in counted.items()
        if (expected := (after[key] - before[key]) * MHZ / 1000 / period)
    ]
    parts = told.active + told.passive + told.others + told.lost + told.invalid + told.corrupted
    return probability(sum(terms), len(terms)), abs(told.total - parts)


def _mode_times(host: Machine) -> dict[tuple[str, int], int]:
    """Return the running time by domain and mode."""
    return {
        (one.name, mode): ns or 0
        for one in host.telemetry.snapshot().domains
        for mode, ns in enumerate((one.user_ns, one.kernel_ns, one.hypervisor_ns))
    }


def probability(chi_square: float, freedom: int) -> float:
    """Return how probable a chi-square as large is; `freedom` is even, which has a closed form."""
    assert freedom % 2 == 0
    half = chi_square / 2
    return math.exp(-half) * sum(half**n / math.factorial(n) for n in range(freedom // 2))


EXPERIMENTS: Final = (
    Experiment(
        38,
        cost_law,
        (
            Figure(
                "slope of the slowdown over the period, 50 000 to 1 000 000 cycles",
                "log/log",
                -1,
                -1.05,
                -0.95,
                "predicted",
                _LAW,
            ),
            Figure(
                "the same, 10 000 to 100 000 cycles",
                "log/log",
                -1,
                -1.05,
                -0.95,
                "predicted",
                _LAW,
                missing="what the hypervisor, the guest's driver and the daemon do for a sample is "
                "sampled too, and that is 5000 cycles; on the law's POWER5 it was 1700",
            ),
            Figure(
                "cycles for a sample, at 100 000",
                "cycles",
                (2_000, 6_000),
                2_000,
                6_000,
                "calibrated",
                "assumed for Xen on a P4, from 1 700 on a POWER5 (" + _LAW + ")",
            ),
        ),
    ),
    Experiment(
        39,
        balance,
        (
            Figure(
                "samples by domain and mode beside their time: chi-square probability",
                "probability",
                (0.01, 1),
                0.01,
                1,
                "predicted",
                "samples are cycles / period, Poisson at most",
            ),
            exact("total less active, passive, others, lost, invalid, corrupted", 0, "samples"),
        ),
    ),
)
