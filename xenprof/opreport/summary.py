"""Sums up a Profile: samples of each application, and of each image within it."""

from collections.abc import Sequence
from dataclasses import dataclass

from xenprof.opreport.classes import Classes, Merge, class_of
from xenprof.opreport.names import long_name
from xenprof.profile.flat import ImageName, Profile


@dataclass(frozen=True, slots=True)
class Line:
    """Samples of an image or an application, one count for each class."""

    image: ImageName
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """The samples of an application, and the part of each of its images."""

    line: Line
    images: tuple[Line, ...]


def summarise(
    profile: Profile, classes: Classes, merge: Merge
) -> tuple[tuple[Application, ...], tuple[int, ...]]:
    """Return applications in path order, and the samples of all of them for each class."""
    index = {column: i for i, column in enumerate(classes.columns)}
    width = len(index)
    counts: dict[ImageName, dict[ImageName, list[int]]] = {}
    for file in profile.files:
        if file.key.callee is not None:
            continue
        app = file.key.image if merge.lib else file.key.app
        row = counts.setdefault(app, {}).setdefault(file.key.image, [0] * width)
        row[index[class_of(file.key, merge)]] += file.total
    applications = tuple(
        Application(
            Line(app, _sums(list(images.values()), width)),
            tuple(Line(image, tuple(row)) for image, row in sorted(images.items(), key=_path)),
        )
        for app, images in sorted(counts.items(), key=_path)
    )
    return applications, _sums([list(app.line.counts) for app in applications], width)


def _path(item: tuple[ImageName, object]) -> str:
    return long_name(item[0])


def _sums(rows: Sequence[Sequence[int]], width: int) -> tuple[int, ...]:
    return tuple(sum(row[i] for row in rows) for i in range(width))
