"""Throws hostile inputs at every route and every program: `python -m tests.soak.hostile`.

    python -m tests.soak.hostile [COUNT [SEED]]

COUNT inputs in all (20 000), the same ones for the same SEED. Ends with 1 if something had an
internal error, a traceback, an exit code that is none, or did not end.
"""

import os
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.hostile.trial import attack_programs, attack_service

COUNT = 20_000
MOST_BYTES = 8 << 30
"""Of address space, so that an input that fills the memory fails instead."""


def main(count: int = COUNT, seed: int = 1) -> int:
    """Run the trial in a folder that is thrown away; return the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    faults = []
    for name, attack in (("requests", attack_service), ("command lines", attack_programs)):
        with TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ["XENPROF_HOME"] = f"{folder}/home"
            home = Path(folder) / "home" if attack is attack_service else Path(folder)
            begun = time.monotonic()
            found = attack(home, seed, count // 2)
            os.chdir("/")
        seconds = time.monotonic() - begun
        sys.stdout.write(f"{count // 2} {name} in {seconds:.0f} s: {len(found)} faults\n")
        sys.stdout.flush()
        faults += found
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
