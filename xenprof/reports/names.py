"""What reports call an image."""

from xenprof.profile import ImageName


def long_name(image: ImageName) -> str:
    """Return the image's path; a bare kernel name counts as a file in `/`."""
    if image.kind == "anon":
        return f"{image.path} (tgid:{image.tgid} range:{image.start:#x}-{image.end:#x})"
    return f"/{image.path}" if image.kind == "kern" else image.path


def short_name(image: ImageName) -> str:
    """Return the image's name without its directory."""
    return long_name(image) if image.kind == "anon" else image.path.rpartition("/")[2]


def display_name(image: ImageName, *, long: bool) -> str:
    """Return the long name or the short one."""
    return long_name(image) if long else short_name(image)
