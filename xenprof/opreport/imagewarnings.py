"""Warns of images that cannot be found, read or trusted, of each image once."""

from collections.abc import Callable
from pathlib import Path

from xenprof.errors import ImageError
from xenprof.images.finder import Lookup

_SILENT = ("anon ", "[vdso]", "[hypervisor_bucket]")


class ImageWarnings:
    """The warnings of one report, whose profiles may share images.

    Source: oprofile libpp/image_errors.cpp, op_header.cpp.
    """

    def __init__(self, warn: Callable[[str], None], *, is_strict: bool = False) -> None:
        """With `is_strict` an image without a file that can be used is an error."""
        self._warn = warn
        self._is_strict = is_strict
        self._reported: set[str] = set()
        self._aged: set[Path] = set()
        self._has_explained = False

    def report(self, name: str, shown: str, problem: str) -> None:
        """Warn of the image `name`, shown as `shown`. Memory that is no file may be missing.

        Raises: ImageError if warnings are strict.
        """
        if self._is_strict:
            raise ImageError(name, f"error: {shown} {problem}")
        if shown in self._reported:
            return
        self._reported.add(shown)
        is_silent = name == "/no-vmlinux" or name.startswith(_SILENT)
        if not (is_silent and problem == Lookup.MISSING.value):
            self._warn(f"warning: {shown} {problem}")

    def check_age(self, path: Path, shown: str, mtime: int) -> None:
        """Warn if the file is not of the time that the sample files give for it."""
        if path in self._aged or mtime == int(path.stat().st_mtime):
            return
        self._aged.add(path)
        if mtime == 0:
            self._warn(
                f"warning: could not check that the binary file {shown} has not been modified "
                "since the profile was taken. Results may be inaccurate."
            )
            return
        self._warn(
            "warning: the last modified time of the binary file does not match that of "
            f"the sample file for {shown}"
        )
        if not self._has_explained:
            self._has_explained = True
            self._warn(
                "Either this is the wrong binary or the binary has been modified since the "
                "sample file was created."
            )
