"""What was compiled, for which Python, from which sources: the record beside the machine code."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from hypervisor.compiled.whole import is_whole

ROOT = Path(__file__).parents[2]
"""The folder that holds the package `hypervisor`: a checkout, or site-packages."""
BUILT = Path(__file__).parent / "built"
_NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """One build: it stands for its sources as long as each of them has the digest in it."""

    python: str
    """Suffix of extension modules of the Python it was built for."""
    library: str
    """The extension module that holds the code; those of the modules refer to it."""
    modules: tuple[str, ...]
    sources: Mapping[str, str]
    """SHA-256 of each file that was compiled or had a say in it, by its path below ROOT."""

    def is_sound(self) -> bool:
        """Return whether every module has a name that can be imported, and its source a digest."""
        return all(
            all(part.isidentifier() for part in name.split(".")) for name in self._names()
        ) and self.sources.keys() >= {f"{name.replace('.', '/')}.py" for name in self.modules}

    def changed(self) -> str | None:
        """Return the first source that is not what was compiled, None if all are."""
        return next(
            (path for path, digest in self.sources.items() if digest_of(path) != digest), None
        )

    def lacking(self) -> str | None:
        """Return the first extension module that is missing or cut short, None if all are there.

        Their digests are not kept: who packs them may strip them.
        """
        return next((name for name in self._names() if not is_whole(self.file_of(name))), None)

    def file_of(self, module: str) -> Path:
        """Return where the extension module lies."""
        return BUILT / (module.replace(".", "/") + self.python)

    def _names(self) -> tuple[str, ...]:
        return (self.library, *self.modules)

    def write(self, folder: Path) -> None:
        """Write the record into `folder`, beside the extension modules."""
        (folder / _NAME).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read() -> Manifest | None:
    """Return the record of what is built here; None when nothing is, or it cannot be used."""
    try:
        stored = json.loads((BUILT / _NAME).read_text(encoding="utf-8"))
        built = Manifest(
            str(stored["python"]),
            str(stored["library"]),
            tuple(map(str, stored["modules"])),
            {str(path): str(digest) for path, digest in stored["sources"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return built if built.is_sound() else None


def digests(paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of each file, by its path below ROOT."""
    return {path: digest_of(path) for path in paths}


def digest_of(path: str) -> str:
    """Return the SHA-256 of a file below ROOT; of nothing when it is not there."""
    try:
        with (ROOT / path).open("rb", buffering=0) as source:  # every start reads all of them
            return hashlib.sha256(source.read()).hexdigest()
    except (OSError, ValueError):  # no path can be so
        return ""
