"""Parses profile specifications: the words after opreport's options that select sample files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from os.path import normpath, realpath
from pathlib import Path

from xenprof.errors import UsageError
from xenprof.opreport.commalist import split_list
from xenprof.opreport.errors import ReportError
from xenprof.opreport.names import long_name
from xenprof.profile.flat import ImageName, SampleKey

TAGS = (
    "archive",
    "session",
    "session-exclude",
    "image",
    "image-exclude",
    "lib-image",
    "event",
    "count",
    "unit-mask",
    "tid",
    "tgid",
    "cpu",
)
NUMERIC_TAGS = ("count", "unit-mask", "tid", "tgid", "cpu")
_IMAGE_TAGS = ("image", "image-exclude", "lib-image")

Names = Callable[[ImageName], Sequence[str]]
"""A function that returns all names of an image which a pattern may match."""


def _own_name(image: ImageName) -> Sequence[str]:
    return (long_name(image),)


@dataclass(frozen=True, slots=True)
class Specification:
    """A parsed profile specification: the values of each tag, and paths without a tag."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()

    @property
    def archive(self) -> str | None:
        """Return the directory of `archive:`, if there is one, without links in its path."""
        directory = ",".join(self.values.get("archive", ()))
        return realpath(directory) if directory else None

    @property
    def sessions(self) -> tuple[str, ...]:
        """Return names of sessions, or paths of their directories (these begin with / or .)."""
        chosen = list(self.values.get("session") or ("current",))
        for session in self.values.get("session-exclude", ()):
            if session in chosen:
                chosen.remove(session)
        return tuple(chosen)

    @property
    def names_images(self) -> bool:
        """Return whether images decide on what is selected."""
        return bool(self.paths) or any(self.values.get(tag) for tag in _IMAGE_TAGS)

    def matches(self, key: SampleKey, names: Names = _own_name) -> bool:
        """Return whether the sample file of `key` is selected; `names` are those of an image."""
        return (
            self._matches_images(key, names)
            and self._allows("event", key.event)
            and self._allows("count", key.count)
            and self._allows("unit-mask", key.unit_mask)
            and self._allows("tid", key.tid)
            and self._allows("tgid", key.tgid)
            and self._allows("cpu", key.cpu)
        )

    def _matches_images(self, key: SampleKey, names: Names) -> bool:
        """Return whether the images match. A bare path overrides the other image's exclusion.

        Source: oprofile libpp/profile_spec.cpp, match().
        """
        if not self.names_images:
            return True
        app, image = names(key.app), names(key.image)
        excluded = self.values.get("image-exclude", ())
        images, libraries = self.values.get("image"), self.values.get("lib-image")
        keeps_app = not _any(excluded, app)
        keeps_image = not _any(excluded, image)
        if self.paths:
            if (keeps_app and _is_named(self.paths, key.app, app)) or (
                keeps_image and _is_named(self.paths, key.image, image)
            ):
                return True
            if not images:
                return False
        return (
            keeps_app
            and keeps_image
            and (not images or _any(images, app))
            and (not libraries or _any(libraries, image))
        )

    def _allows(self, tag: str, value: str | int | None) -> bool:
        """Return whether a field may be `value`; None is a file not separated by it."""
        allowed = self.values.get(tag)
        if allowed is None:
            return True
        if "all" in allowed:
            return True
        return value is not None and str(value) in allowed


def _any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether a pattern, as it was typed, matches a whole name of an image."""
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _is_named(paths: Sequence[str], image: ImageName, names: Sequence[str]) -> bool:
    """Return whether a path without a tag means an image: a pattern, or a file from here.

    The bare name of a kernel needs no slash.
    """
    return _any([*paths, *map(_absolute, paths)], names) or (
        image.kind == "kern" and any(fnmatchcase(image.path, path) for path in paths)
    )


def _absolute(path: str) -> str:
    return normpath(path if path.startswith("/") else Path(path).absolute())


def parse(words: Sequence[str]) -> Specification:
    """Return the specification in `words`.

    Raises:
        ReportError: the same word twice.
        UsageError: a word that is not a number.
    """
    values: dict[str, tuple[str, ...]] = {}
    paths = []
    seen = set()
    for word in words:
        tag, colon, text = word.partition(":")
        if not colon or tag not in TAGS:
            paths.append(word)
            continue
        if word in seen:
            raise ReportError(f"tag specified more than once: {word}")
        seen.add(word)
        items = split_list(text)
        values[tag] = _numbers(word, items) if tag in NUMERIC_TAGS else items
    return Specification(values, tuple(paths))


def _numbers(word: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """Return numbers in the decimal spelling that file names use; `all` stays."""
    try:
        return tuple(item if item == "all" else str(int(item, 0)) for item in items)
    except ValueError:
        raise UsageError(
            f"invalid profile specification {word}: expected numbers or `all`"
        ) from None


def split_differential(words: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Return the words of both profiles of `{ ... } { ... }`; the second is None without braces.

    Words outside the braces belong to both; empty braces are the default profile. Without any
    words there is nothing to compare.

    Raises:
        UsageError: braces that do not pair up to two groups.
    """
    words = [part for word in words for part in (("{", "}") if word == "{}" else (word,))]
    common: list[str] = []
    groups: list[list[str]] = []
    inside = False
    for word in words:
        if word in ("{", "}"):
            if inside == (word == "{"):
                break
            inside = not inside
            if inside:
                groups.append([])
        else:
            (groups[-1] if inside else common).append(word)
    else:
        if not inside and not groups:
            return common, None
        if not inside and len(groups) == 2:
            first, second = common + groups[0], common + groups[1]
            return first, second if first or second else None
    raise UsageError(f"invalid profile specification {''.join(f'{word} ' for word in words)}")
