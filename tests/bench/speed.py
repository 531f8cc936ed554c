"""Benchmark of the model: virtual seconds per wall second of whole processes of `xenprof run`.

Each run is made as Python and compiled, in turns. The profiled run includes everything: overflows,
rings, drivers, daemons, sample files on disk.
"""

from time import perf_counter

from hypervisor.compiled.engine import SWITCH, choose
from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat

ROUNDS = 3
PROFILE = (
    "--profile", "GLOBAL_POWER_EVENTS:100000:1:1:1",
    "--profile", "INSTR_RETIRED:100000:1:1:1",
    "--active", "0,1",
)  # fmt: skip
ENGINES = {"pure": "1", "compiled": "0"}

# (name, scenario, seconds of the long and of the short run, options, target of the long process,
# target while it runs)
RUNS = (
    ("grumble", "grumble", 60, 20, (), 100, 150),
    ("grumble, two events in two domains", "grumble", 60, 20, PROFILE, 45, None),
    ("busy32", "busy32", 30, 10, (), None, 18),
)


def run() -> list[Row]:
    """Return the speeds compiled, beside those as Python, and the seconds of start and end.

    A running host has started once: `while it runs` is a long run minus a short one, pair by
    pair. The whole process is shown beside it.
    """
    if not choose().is_compiled:
        return []
    rows = []
    for name, scenario, long_seconds, short_seconds, options, whole, running in RUNS:
        long = _seconds(scenario, f"{long_seconds}s", options)
        short = _seconds(scenario, f"{short_seconds}s", options)
        speeds = {one: [long_seconds / took for took in long[one]] for one in ENGINES}
        rows.append(_row(f"{name}, process of {long_seconds} s", speeds, whole))
        speeds = {
            one: [
                (long_seconds - short_seconds) / (more - less)
                for more, less in zip(sorted(long[one]), sorted(short[one]), strict=True)
            ]
            for one in ENGINES
        }
        rows.append(_row(f"{name}, while it runs", speeds, running))
    nothing = repeat(ROUNDS, lambda: run_quietly(program("python"), "-c", "import numpy"))
    for name, options, limit in (("a run", (), 0.35), ("a profiled run", PROFILE, None)):
        empty = _seconds("grumble", "1ms", options)["compiled"]
        rows.append(
            Row(f"start and end of {name}", "import numpy", nothing, empty, "s", limit=limit)
        )
    return rows


def _row(name: str, speeds: dict[str, list[float]], limit: float | None) -> Row:
    return Row(name, "as Python", speeds["pure"], speeds["compiled"], "x real time", True, limit)


def _seconds(scenario: str, duration: str, options: tuple[str, ...]) -> dict[str, list[float]]:
    """Return the wall seconds of each engine, which take turns."""
    command = (program("xenprof"), "run", "--scenario", scenario, "--for", duration, *options)
    took: dict[str, list[float]] = {one: [] for one in ENGINES}
    for number in range(1 + ROUNDS):
        for one, pure in ENGINES.items():
            started = perf_counter()
            run_quietly(*command, **{SWITCH: pure})
            if number:  # the first fills the caches
                took[one].append(perf_counter() - started)
    return took
