"""The C compiler that Python itself was built with, as commands."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypervisor.errors import HostError

OPTIMIZE = "-O1"
"""24 s of compiling instead of 38 s with -O3, by which the model runs 4 % faster."""
HIDDEN: Final = "-fvisibility=hidden"
"""The library calls its own functions directly, not by a table that others could change."""


class NoCompiler(HostError):
    """There is no C compiler, or Python's headers are not installed."""


class CannotCompile(HostError):
    """Something on the list is not what mypyc, or then the C compiler, can make code of."""

    def __init__(self, message: str) -> None:
        """Keep `message`, which has the compiler's lines."""
        Exception.__init__(self, message)


@dataclass(frozen=True)
class Toolchain:
    """How C becomes an extension module: the words of both commands up to their files."""

    compiling: tuple[str, ...]
    linking: tuple[str, ...]

    def compile(self, source: Path, include: Iterable[str], to: Path) -> None:
        """Compile one file of C. Raises: CannotCompile with what the compiler says."""
        folders = [f"-I{folder}" for folder in include]
        _run([*self.compiling, *folders, "-c", str(source), "-o", str(to)])

    def link(self, objects: Iterable[Path], to: Path) -> None:
        """Link object files to an extension module. Raises: CannotCompile as `compile`."""
        _run([*self.linking, *map(str, objects), "-o", str(to)])


def toolchain() -> Toolchain:
    """Return the compiler of this Python, or that of the environment variable CC.

    Raises: NoCompiler.
    """
    words = {
        name: shlex.split(sysconfig.get_config_var(name) or "")
        for name in ("CC", "CFLAGS", "CCSHARED", "LDSHARED")
    }
    if own := shlex.split(os.environ.get("CC", "")):
        rest = words["LDSHARED"][1:]  # its first word is a compiler too
        words |= {"CC": own, "LDSHARED": [*own, *rest]}
    headers = Path(sysconfig.get_path("include"))
    if not words["CC"] or shutil.which(words["CC"][0]) is None:
        raise NoCompiler("there is no C compiler")
    if not (headers / "Python.h").exists():
        raise NoCompiler(f"the headers of Python are not installed in {headers}")
    kept = [flag for flag in words["CFLAGS"] if not flag.startswith(("-O", "-g", "-W"))]
    flags = [*kept, OPTIMIZE, HIDDEN, "-w", *words["CCSHARED"], f"-I{headers}"]
    return Toolchain((*words["CC"], *flags), tuple(words["LDSHARED"]))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompile(f"{shlex.join(command)}\n{done.stderr}")
