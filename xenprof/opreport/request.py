"""Defines a request for a report: its data, and the layout that the user wants."""

from collections.abc import Callable
from dataclasses import dataclass, field

from xenprof.opreport.classes import Classes, Merge, ProfileClass, class_of
from xenprof.profile.flat import ImageName, Profile


@dataclass(frozen=True, slots=True)
class Layout:
    """The options of a report that change its look and not its contents."""

    sort: tuple[str, ...] = ("sample",)
    reverse: bool = False
    threshold_percent: float = 0.0
    no_header: bool = False
    long_names: bool = False
    show_address: bool = False
    debug_info: bool = False
    accumulated: bool = False
    global_percent: bool = False
    details: bool = False
    demangle: Callable[[str], str] = str
    include_symbols: frozenset[str] = field(default_factory=frozenset)
    exclude_symbols: frozenset[str] = field(default_factory=frozenset)

    @property
    def filters_symbols(self) -> bool:
        """Return whether the samples of some symbols may be unwanted."""
        return bool(self.include_symbols or self.exclude_symbols)

    def accepts(self, symbol: str) -> bool:
        """Return whether the samples of a symbol are wanted."""
        is_included = not self.include_symbols or symbol in self.include_symbols
        return is_included and symbol not in self.exclude_symbols


@dataclass(frozen=True, slots=True)
class Request:
    """One report. With a `baseline` it is the difference from that to `profile`, and `classes`
    are the baseline's; `profile` has its own in `later_classes`.

    `hidden_prefix` is the part of images' paths that the user does not see. `options` are
    those that the XML report repeats.

    `warn` takes a line for the user that is not part of the report. `image_path` and `root`
    say where else to look for images. `command` is what the user typed, `specification` the part
    of it that selects.
    """

    profile: Profile
    classes: Classes
    merge: Merge
    layout: Layout
    warn: Callable[[str], None]
    image_path: tuple[str, ...] = ()
    root: str = ""
    baseline: Profile | None = None
    command: tuple[str, ...] = ()
    specification: tuple[str, ...] = ()
    later_classes: Classes | None = None
    hidden_prefix: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def sides(self) -> tuple[tuple[Profile, Classes], ...]:
        """Return the profiles with their columns: one, or two in a comparison."""
        if self.baseline is None:
            return ((self.profile, self.classes),)
        return ((self.baseline, self.classes), (self.profile, self.later_classes or self.classes))

    def shows_apps(self) -> bool:
        """Return whether there are columns with several applications."""
        for profile, _ in self.sides:
            apps: dict[ProfileClass, set[ImageName]] = {}
            for file in profile.files:
                app = file.key.image if self.merge.lib else file.key.app
                apps.setdefault(class_of(file.key, self.merge), set()).add(app)
            if any(len(found) > 1 for found in apps.values()):
                return True
        return False
