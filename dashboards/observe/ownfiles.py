"""Reads and writes files in the folder of observing, whatever lies there under their names."""

from pathlib import Path

from hypervisor.ownfiles import opener
from hypervisor.wholetext import read_regular


def read(path: Path) -> str:
    """Return the text of a file. Raises: OSError, also for a pipe; ValueError: it is no text."""
    return read_regular(path).decode()


def write(path: Path, text: str) -> None:
    """Put a whole file in the place of what has its name. Raises: OSError."""
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)
    with open(fresh, "x", encoding="utf-8", opener=opener) as file:
        file.write(text)
    fresh.replace(path)
