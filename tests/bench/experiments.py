"""Benchmark of experiments: what a second process of workers brings."""

import tempfile
from pathlib import Path

from tests.bench.programs import program, run_quietly
from tests.bench.table import Row, repeat

RUNS = 2
TIMES_FASTER = 1.7
_TEXT = """
base = "grumble"
duration_s = 900
seeds = 4

[[axis]]
key = "domain.r5b2-mySQL01.cap"
values = [25, 50]

[[result]]
name = "database"
of = "domain.r5b2-mySQL01.cpu_ns"
"""


def run() -> list[Row]:
    """Return wall seconds of eight runs of a quarter of an hour; the peer is one process for them.

    They take as long as a usual experiment of the talk, in which starting processes is a part.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "caps.toml"
        path.write_text(_TEXT)

        def experiment(workers: int) -> None:
            with tempfile.TemporaryDirectory(dir=folder) as out:  # runs that are there are not done
                run_quietly(
                    program("xenprof"), "experiment", str(path), "--workers", str(workers),
                    "--output", out,
                )  # fmt: skip

        one = repeat(RUNS, lambda: experiment(1))
        two = repeat(RUNS, lambda: experiment(2))
    return [
        Row(
            "xenprof experiment, 8 runs, 2 workers", "1 worker", one, two, "s",
            limit=TIMES_FASTER, limits_ratio=True,
        )
    ]  # fmt: skip
