"""The event kernel under handlers that are compiled, as those of the model are.

`python -m tests.bench.native FOLDER` prints the events per second of the modules built there.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from time import perf_counter

from hypervisor.compiled.build import GROUP, compile_modules
from hypervisor.compiled.engine import SWITCH, CompiledModules, Engine
from hypervisor.compiled.toolchain import toolchain
from tests.support.model.queueing import draws, run_simpy_lean

CUSTOMERS = 20_000
ROUNDS = 5
FILES = ("hypervisor/model/timing/clock.py", "tests/support/model/queue.py")


def rates() -> tuple[list[float], list[float]]:
    """Compile clock and queue; return events per second of SimPy and of them, taking turns.

    Raises: NoCompiler.
    """
    tools = toolchain()
    with tempfile.TemporaryDirectory(prefix="xenprof-bench-") as folder:
        into = Path(folder) / "built"
        compile_modules(tools, [*FILES], Path(folder) / "c", into)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.native", str(into)],
            check=True, capture_output=True, env=os.environ | {SWITCH: "1"},
        )  # fmt: skip
    simpy, ours = json.loads(done.stdout)
    return simpy, ours


def main(folder: Path) -> None:
    """Measure the modules in `folder`."""
    names = [path.removesuffix(".py").replace("/", ".") for path in FILES]
    files = {
        name: folder / (name.replace(".", "/") + EXTENSION_SUFFIXES[0])
        for name in (f"{GROUP}__mypyc", *names)
    }
    import hypervisor.model  # noqa: F401  # chooses Python, and only then steps aside

    sys.meta_path.insert(0, CompiledModules(Engine(True), files))
    from tests.support.model.queue import run_ours

    gaps, services = draws(CUSTOMERS)
    sides = (run_simpy_lean, run_ours)
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for side, rate in zip(sides, found, strict=True):
            gc.collect()  # nobody clears up after the other
            started = perf_counter()
            side(gaps, services)
            rate.append(2 * CUSTOMERS / (perf_counter() - started))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
