"""The symbols of a profile's images, with a warning for what cannot be trusted."""

from pathlib import Path

from xenprof.errors import ImageError
from xenprof.images import ImageFinder, ImageSymbols, load_symbols
from xenprof.profile import ImageName, Profile
from xenprof.reports.names import long_name
from xenprof.reports.request import Request


class Symboliser:
    """Finds the images of a profile and reads their symbols, each once."""

    def __init__(self, profile: Profile, request: Request) -> None:
        """Look up the images, and warn of those that are missing in order of their names."""
        finders = [ImageFinder(profile.archive, request.image_path)]
        if request.root:
            finders.insert(0, ImageFinder(root=request.root))
        self._warn = request.warn
        self._symbols: dict[Path, ImageSymbols | None] = {}
        self._warned_of_mtime = False
        images = {file.key.image for file in profile.files}
        images |= {file.key.callee for file in profile.files if file.key.callee is not None}
        self._paths = {
            image: next(filter(None, (finder.find(image) for finder in finders)), None)
            for image in sorted(images, key=long_name)
        }
        for image, path in self._paths.items():
            if path is None and image.kind != "anon" and not _is_never_a_file(image):
                self._warn(f"warning: {long_name(image)} could not be found.")

    def symbols(self, image: ImageName, mtime: int | None) -> ImageSymbols | None:
        """Return the symbols of an image of the profile, None if it has none.

        `mtime` is the one that the sample files give, None if they do not; a file of another
        age gets a warning.
        """
        path = self._paths[image]
        if path is None:
            return None
        if path not in self._symbols:
            if mtime is not None:
                self._check_mtime(path, image, mtime)
            self._symbols[path] = self._load(path, image)
        return self._symbols[path]

    def _load(self, path: Path, image: ImageName) -> ImageSymbols | None:
        try:
            symbols = load_symbols(path)
        except ImageError:
            self._warn(f"warning: {long_name(image)} is not in a usable binary format.")
            return None
        return symbols if len(symbols.names) else None

    def _check_mtime(self, path: Path, image: ImageName, mtime: int) -> None:
        name = long_name(image)
        if mtime == 0:
            self._warn(
                f"warning: could not check that the binary file {name} has not been modified "
                "since the profile was taken. Results may be inaccurate."
            )
        elif mtime != int(path.stat().st_mtime):
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


def _is_never_a_file(image: ImageName) -> bool:
    return image.path.rpartition("/")[2] in ("no-vmlinux", "[vdso]", "[hypervisor_bucket]")
