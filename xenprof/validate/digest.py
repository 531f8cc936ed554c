"""Tells models apart: a digest of what the results of experiments follow from."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
MODEL: Final = "hypervisor"
"""The folder of a simulated host and its toolstack, whose rules have a say in results too."""

FOLDERS: Final = (MODEL, "xenprof/validate")
_APART: Final = (
    Path("hypervisor/compiled"),  # how the same sources run
    Path("hypervisor/live"),  # real hosts
    Path("hypervisor/model/scenario/scenarios"),  # those of the product, not of experiments
    Path("xenprof/validate/digest.py"),
    Path("xenprof/validate/document.py"),
    Path("xenprof/validate/words.py"),
)
_ENDINGS: Final = (".py", ".toml")
_DIGITS: Final = 16


def model_digest(root: Path = ROOT, parts: Sequence[str] = FOLDERS) -> str:
    """Return the digest of the model's sources, its tables of costs and the experiments.

    `parts` are the folders and files that count. Lines that are empty or nothing but a comment do
    not.
    """
    digest = hashlib.sha256()
    for path in sources(root, parts):
        digest.update(f"{path}\n".encode())
        for line in (root / path).read_text("utf-8").splitlines():
            if (text := line.strip()) and not text.startswith("#"):
                digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:_DIGITS]


def sources(root: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files that count, as seen from `root`."""
    for part in parts:
        for file in sorted([root / part, *(root / part).rglob("*")]):
            path = file.relative_to(root)
            is_apart = any(path.is_relative_to(one) for one in _APART)
            if file.suffix in _ENDINGS and not is_apart:
                yield path
