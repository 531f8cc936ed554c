"""Reads the symbols of a profile's images, with warnings for what cannot be trusted."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xenprof.errors import ImageError
from xenprof.images import ImageFinder, ImageSymbols, load_symbols
from xenprof.images.finder import Lookup
from xenprof.images.lineprogram import Location
from xenprof.opreport.names import long_name
from xenprof.opreport.request import Request
from xenprof.profile.flat import ImageName, Profile

if TYPE_CHECKING:
    from xenprof.images.lines import LineTable

_NO_SOURCE: Mapping[int, Location] = {}


class Symboliser:
    """Finds the images of a profile and reads their symbols, each once."""

    def __init__(self, profile: Profile, request: Request) -> None:
        """Look up the images, and warn of those that are missing in order of their names."""
        self._warn = request.warn
        self._hidden = request.hidden_prefix
        self._archive = profile.archive
        self._finders = _finders(profile, request)
        self._roots = tuple(dict.fromkeys((*(f.archive + f.root for f in self._finders), "")))
        self._symbols: dict[Path, ImageSymbols | None] = {}
        self._lines: dict[ImageName, LineTable] = {}
        self._warned: set[Path] = set()
        self._warned_of_mtime = False
        self._paths: dict[ImageName, Path | None] = {}
        images = {file.key.image for file in profile.files}
        images |= {file.key.callee for file in profile.files if file.key.callee is not None}
        for image in sorted(images, key=long_name):
            path, problem = self._look_up(image)
            self._paths[image] = path
            if path is None and image.kind != "anon" and not _is_never_a_file(image):
                self._warn(f"warning: {self._reported(image)} {problem.value}")

    def symbols(self, image: ImageName, mtime: int | None) -> ImageSymbols | None:
        """Return the symbols of an image of the profile; None if it has no file that can be used.

        `mtime` is the one that the sample files give, None if they do not; a file of another
        age gets a warning.
        """
        path = self._paths[image]
        if path is None:
            return None
        if path not in self._symbols:
            self._symbols[path] = self._load(path, image)
        symbols = self._symbols[path]
        if symbols is not None and mtime is not None and path not in self._warned:
            self._warned.add(path)
            self._check_mtime(path, mtime)
        return symbols

    def lines(self, image: ImageName, addresses: Iterable[int]) -> Mapping[int, Location]:
        """Return the source lines of addresses of an image's code, as far as they are known."""
        path = self._paths[image]
        symbols = None if path is None else self._symbols.get(path)
        if symbols is None or symbols.code is None or not symbols.code.has_debug_info:
            return _NO_SOURCE
        if image not in self._lines:
            from xenprof.images.lines import LineTable  # few reports need it

            self._lines[image] = LineTable(symbols.code)
        wanted = set(addresses)
        found = self._lines[image].find(wanted)
        for address in wanted - set(found):
            file = symbols.file_of(address)
            if file:
                found[address] = Location(file, 0)
        return found

    def has_lines(self, image: ImageName) -> bool:
        """Return whether an image has debugging information at all."""
        path = self._paths.get(image)
        symbols = None if path is None else self._symbols.get(path)
        return symbols is not None and symbols.code is not None and symbols.code.has_debug_info

    def display(self, image: ImageName, *, long: bool) -> str:
        """Return an image's name in tables: its file's path or name.

        Links are resolved, but not those of `image_path`: there a user chose the name.
        """
        path = self._paths.get(image) or self._look_up(image)[0]
        if path is None:
            name = long_name(image)
        else:
            is_own = image.path.startswith("/") and str(path).endswith(image.path)
            name = self._visible(os.path.realpath(path) if is_own else str(path))
        if long or image.kind == "anon":
            return name
        return name.rpartition("/")[2]

    def _look_up(self, image: ImageName) -> tuple[Path | None, Lookup]:
        """Return the image's file, or the error of the last place to look."""
        problem = Lookup.MISSING
        for finder in self._finders:
            path, problem = finder.look_up(image)
            if path is not None:
                return path, problem
        return None, problem

    def _load(self, path: Path, image: ImageName) -> ImageSymbols | None:
        try:
            return load_symbols(path, self._roots)
        except ImageError:
            self._warn(f"warning: {self._reported(image)} is not in a usable binary format.")
            return None

    def _reported(self, image: ImageName) -> str:
        """Return an image's name in warnings: with the archive's directory before it."""
        return self._visible(f"{self._archive}{long_name(image)}")

    def _visible(self, path: str) -> str:
        prefix = self._hidden
        return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path

    def _check_mtime(self, path: Path, mtime: int) -> None:
        if mtime == int(path.stat().st_mtime):
            return
        name = self._visible(os.path.realpath(path))
        if mtime == 0:
            self._warn(
                f"warning: could not check that the binary file {name} has not been modified "
                "since the profile was taken. Results may be inaccurate."
            )
            return
        self._warn(
            "warning: the last modified time of the binary file does not match that of "
            f"the sample file for {name}"
        )
        if not self._warned_of_mtime:
            self._warn(
                "Either this is the wrong binary or the binary has been modified since the "
                "sample file was created."
            )
            self._warned_of_mtime = True


def _finders(profile: Profile, request: Request) -> list[ImageFinder]:
    """Return where to look, in order: the archive, then --root; without an archive only there."""
    archive, root = profile.archive, request.root
    if not root:
        return [ImageFinder(archive, request.image_path)]
    roots = ImageFinder(root=root, image_path=request.image_path)
    if not archive:
        return [roots]
    inside = ImageFinder(archive, request.image_path)
    return [roots, inside] if request.hidden_prefix else [inside, roots]


def _is_never_a_file(image: ImageName) -> bool:
    return image.path.rpartition("/")[2] in ("no-vmlinux", "[vdso]", "[hypervisor_bucket]")
