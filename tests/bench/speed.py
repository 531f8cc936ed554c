"""Benchmark of the model: virtual seconds per wall second of whole processes of `xenprof run`.

The profiled run includes everything: overflows, rings, drivers, daemons, sample files on disk.
"""

from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat

RUNS = 3
PROFILE = (
    "--profile", "GLOBAL_POWER_EVENTS:100000:1:1:1",
    "--profile", "INSTR_RETIRED:100000:1:1:1",
    "--active", "0,1,2,3,4",
)  # fmt: skip


SHORT_SECONDS, LONG_SECONDS = 20, 120


def run() -> list[Row]:
    """Return the speeds, and the wall time of starting and ending.

    A running host has started once: `while it runs` is a long run minus a short one, pair by
    pair. The whole process is shown beside it.
    """
    rows = []
    for name, options, limit in (("two events", PROFILE, 20), ("not profiled", (), 40)):
        short = _seconds("grumble", f"{SHORT_SECONDS}s", options)
        long = _seconds("grumble", f"{LONG_SECONDS}s", options)
        running = [
            (LONG_SECONDS - SHORT_SECONDS) / (more - less)
            for more, less in zip(long, short, strict=True)
        ]
        rows.append(_row(f"grumble while it runs, {name}", running, limit))
        whole = [LONG_SECONDS / took for took in long]
        rows.append(_row(f"grumble, process of {LONG_SECONDS} s, {name}", whole))
        whole = [SHORT_SECONDS / took for took in short]
        rows.append(_row(f"grumble, process of {SHORT_SECONDS} s, {name}", whole))
    busy = [5 / took for took in _seconds("busy32", "5s", ())]
    rows.append(_row("busy32, process of 5 s, not profiled", busy, 1))
    nothing = repeat(RUNS, lambda: run_quietly(program("python"), "-c", "import numpy"))
    empty = _seconds("grumble", "1ms", PROFILE)
    rows.append(Row("start and end of a profiled run", "import numpy", nothing, empty, "s"))
    return rows


def _row(name: str, speeds: list[float], limit: float | None = None) -> Row:
    return Row(name, "real time", [1], speeds, "x real time", True, limit)


def _seconds(scenario: str, duration: str, options: tuple[str, ...]) -> list[float]:
    command = (program("xenprof"), "run", "--scenario", scenario, "--for", duration, *options)
    return repeat(RUNS, lambda: run_quietly(*command))
