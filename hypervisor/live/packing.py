"""Packs the agent into one file (`python -m hypervisor.live.packing dist/xenprof-agent.pyz`).

The same sources make the same bytes: files are sorted, not compressed, and of no time.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_PACKAGES: Final = ("hypervisor", "hypervisor/live")  # of these, only what makes them packages
_WHOLE: Final = "hypervisor/live/agent"
_SHEBANG: Final = b"#!/usr/bin/env python3\n"
_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can tell
_MODE: Final = 0o100644 << 16
_MAIN: Final = """\
import sys

from hypervisor.live.agent.main import main

sys.exit(main(version={version!r}))
"""


def packed(version: str) -> bytes:
    """Return the file, which is a program of Python 3.6 and later."""
    made = io.BytesIO()
    made.write(_SHEBANG)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_STORED) as archive:
        for name, text in sorted(_files(version)):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = _MODE
            entry.create_system = 3  # Unix, wherever this runs
            archive.writestr(entry, text)
    return made.getvalue()


def _files(version: str) -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN.format(version=version).encode()
    for package in _PACKAGES:
        yield f"{package}/__init__.py", (_ROOT / package / "__init__.py").read_bytes()
    for path in (_ROOT / _WHOLE).rglob("*.py"):
        yield path.relative_to(_ROOT).as_posix(), path.read_bytes()


def main(arguments: list[str]) -> int:
    """Write the file to the path that is given, where it can be started as a program."""
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".new")
    beside.write_bytes(packed(_version()))
    beside.chmod(0o755)
    beside.replace(target)
    return 0


def _version() -> str:
    try:
        return installed("xenprof")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
