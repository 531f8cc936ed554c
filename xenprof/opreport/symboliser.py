"""Reads the symbols of a profile's images, with warnings for what cannot be trusted."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xenprof.errors import ImageError
from xenprof.images import ImageSymbols, load_symbols
from xenprof.images.finder import Lookup, image_finders, look_up
from xenprof.images.lineprogram import Location
from xenprof.opreport.imagewarnings import ImageWarnings
from xenprof.opreport.names import long_name
from xenprof.opreport.request import Request
from xenprof.profile.flat import ImageName, Profile

if TYPE_CHECKING:
    from xenprof.images.lines import LineTable

_NO_SOURCE: Mapping[int, Location] = {}


class Symboliser:
    """Finds the images of a profile and reads their symbols, each once."""

    def __init__(
        self, profile: Profile, request: Request, warnings: ImageWarnings | None = None
    ) -> None:
        """Look up the images, and warn of those that are missing in order of their names.

        Profiles that are compared share their `warnings`.
        """
        self._warnings = warnings or ImageWarnings(request.warn)
        self._hidden = request.hidden_prefix
        self._archive = profile.archive
        self._finders = image_finders(
            profile.archive, request.root, request.image_path, is_domain=bool(request.hidden_prefix)
        )
        self._roots = tuple(dict.fromkeys((*(f.archive + f.root for f in self._finders), "")))
        self._symbols: dict[Path, ImageSymbols | None] = {}
        self._lines: dict[ImageName, LineTable] = {}
        self._checked: set[Path] = set()
        self._paths: dict[ImageName, Path | None] = {}
        images = {file.key.image for file in profile.files}
        images |= {file.key.callee for file in profile.files if file.key.callee is not None}
        for image in sorted(images, key=long_name):
            path, problem = self._look_up(image)
            self._paths[image] = path
            if path is None:
                self._warnings.report(long_name(image), self._reported(image), problem.value)

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
        if symbols is not None and mtime is not None and path not in self._checked:
            self._checked.add(path)
            self._warnings.check_age(path, self._visible(os.path.realpath(path)), mtime)
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

    def path(self, image: ImageName) -> Path | None:
        """Return the file of an image of the profile, None if it was not found."""
        return self._paths.get(image)

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
        return look_up(self._finders, image)

    def _load(self, path: Path, image: ImageName) -> ImageSymbols | None:
        try:
            return load_symbols(path, self._roots)
        except ImageError:
            problem = "is not in a usable binary format."
            self._warnings.report(long_name(image), self._reported(image), problem)
            return None

    def _reported(self, image: ImageName) -> str:
        """Return an image's name in warnings: with the archive's directory before it."""
        prefix = "" if self._archive == self._hidden else self._archive
        return f"{prefix}{long_name(image)}"

    def _visible(self, path: str) -> str:
        prefix = self._hidden
        return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path
