"""Which files of ours a process runs."""

import subprocess
import sys

from tests.support.paths import ROOT

_ASKED = """
import importlib, sys
from pathlib import Path
importlib.import_module({module!r})
for name, module in sorted(sys.modules.items()):
    if name.startswith({of!r}):
        print(name.replace(".", "/") + ("/__init__" if hasattr(module, "__path__") else "") + ".py")
"""


def loaded_with(module: str, of: tuple[str, ...] = ("hypervisor.",)) -> list[str]:
    """Return the sources that are loaded with a module and begin with one of the names.

    How compiled code is found is left out.
    """
    done = subprocess.run(
        [sys.executable, "-c", _ASKED.format(module=module, of=of)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [
        name for name in done.stdout.splitlines() if not name.startswith("hypervisor/compiled/")
    ]
