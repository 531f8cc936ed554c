"""Benchmark of the model: virtual seconds per wall second of whole processes of `xenprof run`.

The profiled run goes the whole way: overflows, rings, drivers, daemons, sample files on disk.
"""

from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat

RUNS = 3
PROFILE = (
    "--profile", "GLOBAL_POWER_EVENTS:100000:1:1:1",
    "--profile", "INSTR_RETIRED:100000:1:1:1",
    "--active", "0,1,2,3,4",
)  # fmt: skip


def run() -> list[Row]:
    """Return the speeds, and what starting and ending costs of the wall time."""
    runs: tuple[tuple[str, str, int, tuple[str, ...], float | None], ...] = (
        ("grumble for 20 s, two events", "grumble", 20, PROFILE, 20),
        ("grumble for 20 s, not profiled", "grumble", 20, (), 40),
        ("grumble for 120 s, two events", "grumble", 120, PROFILE, None),
        ("grumble for 120 s, not profiled", "grumble", 120, (), None),
        ("busy32 for 5 s, not profiled", "busy32", 5, (), 1),
    )
    rows = []
    for name, scenario, seconds, options, limit in runs:
        speeds = [seconds / took for took in _seconds(scenario, f"{seconds}s", options)]
        rows.append(Row(name, "real time", [1], speeds, "x real time", True, limit))
    nothing = repeat(RUNS, lambda: run_quietly(program("python"), "-c", "import numpy"))
    empty = _seconds("grumble", "1ms", PROFILE)
    rows.append(Row("start and end of a profiled run", "import numpy", nothing, empty, "s"))
    return rows


def _seconds(scenario: str, duration: str, options: tuple[str, ...]) -> list[float]:
    command = (program("xenprof"), "run", "--scenario", scenario, "--for", duration, *options)
    return repeat(RUNS, lambda: run_quietly(*command))
