"""Makes the names of images and symbols in reports."""

from collections.abc import Callable

from xenprof.profile.flat import ImageName


def long_name(image: ImageName) -> str:
    """Return the image's path; a bare kernel name becomes a file in `/`."""
    if image.kind == "anon":
        return f"{image.path} (tgid:{image.tgid} range:{image.start:#x}-{image.end:#x})"
    return f"/{image.path}" if image.kind == "kern" else image.path


def short_name(image: ImageName) -> str:
    """Return the image's name without its directory."""
    return long_name(image) if image.kind == "anon" else image.path.rpartition("/")[2]


def symbol_text(name: str, demangle: Callable[[str], str]) -> str:
    """Return a symbol's name in reports: `??` and a section's name for one without a name."""
    if name.startswith("??"):
        return f"anonymous symbol from section {name.lstrip('?')}"
    return "(no symbols)" if name.startswith("?") else demangle(name)


def display_name(image: ImageName, *, long: bool) -> str:
    """Return the long name or the short one."""
    return long_name(image) if long else short_name(image)
