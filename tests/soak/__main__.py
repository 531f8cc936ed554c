"""`make soak`: attacks the service and the programs for minutes, and says what held."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak import hostile, kills, passwords, rewrites

TRIALS: dict[str, Callable[[Path], str]] = {
    "rewrites": rewrites.run,
    "passwords": passwords.run,
    "kills": kills.run,
    "requests": hostile.requests,
    "programs": hostile.programs,
}
"""A trial is given an empty folder, returns its figures, and raises AssertionError."""


def main() -> int:
    """Run the trials named, or all; the status is 1 if one of them did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TRIALS)}")
    names = parser.parse_args().names or list(TRIALS)
    if unknown := set(names) - set(TRIALS):
        parser.error(f"no trial {', '.join(sorted(unknown))}; there are {', '.join(TRIALS)}")
    status = 0
    for name in names:
        with TemporaryDirectory(prefix=f"soak-{name}-") as folder:
            try:
                outcome = TRIALS[name](Path(folder))
            except AssertionError as failure:
                outcome, status = f"FAILED: {failure}", 1
        sys.stdout.write(f"{name}: {outcome}\n")
        sys.stdout.flush()
    return status


sys.exit(main())
