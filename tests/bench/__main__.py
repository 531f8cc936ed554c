"""`make bench`: one table of speed and size beside the peers, measured in one go."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable

from tests.bench import (
    agents,
    disk,
    domains,
    earlier,
    experiments,
    healthy,
    hvm,
    kernel,
    memory,
    network,
    otlp,
    recording,
    report,
    sampling,
    scrape,
    service,
    speed,
    start,
    thousand,
    trace,
)
from tests.bench.table import Row, table

BENCHES: dict[str, Callable[[], Iterable[Row]]] = {
    "kernel": kernel.run,
    "speed": speed.run,
    "network": network.run,
    "disk": disk.run,
    "hvm": hvm.run,
    "service": service.run,
    "scrape": scrape.run,
    "thousand": thousand.run,
    "otlp": otlp.run,
    "start": start.run,
    "recording": recording.run,
    "report": report.run,
    "experiments": experiments.run,
    "domains": domains.run,
    "trace": trace.run,
    "agents": agents.run,
    "sampling": sampling.run,
}
LONG: dict[str, Callable[[], Iterable[Row]]] = {
    "memory": memory.run,
    "healthy": healthy.run,
    "earlier": earlier.run,
}
"""They take minutes, and run when named or with --long."""


def main() -> int:
    """Run the benches named, or all; print the table."""
    every = BENCHES | LONG
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(every)}")
    parser.add_argument("--long", action="store_true", help=f"also {', '.join(LONG)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(every):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    chosen = options.names or [*BENCHES, *(LONG if options.long else ())]
    rows: list[Row] = []
    for name in chosen:
        sys.stderr.write(f"{name} ...\n")
        rows.extend(every[name]())
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors, load {load}"
    sys.stdout.write(f"{machine}\n\n{table(rows)}\n")
    return 0


sys.exit(main())
