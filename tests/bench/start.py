"""Benchmark of short commands, from the shell's side."""

from tests.bench.programs import program, run_quietly, serving
from tests.bench.table import Row, repeat

RUNS = 7
LIMIT_SECONDS = 0.3


def run() -> list[Row]:
    """Return wall seconds of whole processes; the peer is an interpreter that does nothing."""
    bare = repeat(RUNS, lambda: run_quietly(program("python"), "-c", "pass"))
    with serving() as service:
        home = str(service.home)
        listing = repeat(RUNS, lambda: run_quietly(program("xm"), "list", XENPROF_HOME=home))
    helping = repeat(RUNS, lambda: run_quietly(program("opreport"), "--help"))
    return [
        Row("xm list, beside a service", "python -c pass", bare, listing, "s", limit=LIMIT_SECONDS),
        Row("opreport --help", "python -c pass", bare, helping, "s", limit=LIMIT_SECONDS),
    ]
