"""Looks up values in xend's nested lists by their path."""

from collections.abc import Sequence

from hypervisor.toolstack.config.sxp import Sxp, child_text, children

__all__ = ["Sxp", "children", "list_at", "number_at", "text_at"]


def list_at(sxp: Sxp, path: str) -> list[Sxp] | None:
    """Return the first list at `path`, e.g. `image/hvm`; None if there is none."""
    for name in path.split("/"):
        found = children(sxp, name)
        if not found:
            return None
        sxp = found[0]
    assert isinstance(sxp, list)
    return sxp


def text_at(sxp: Sxp, path: str) -> str:
    """Return the text at `path`, e.g. `image/linux/kernel`; empty if there is none."""
    folder, slash, name = path.rpartition("/")
    parent = list_at(sxp, folder) if slash else sxp
    return "" if parent is None else child_text(parent, name)


def number_at(sxp: Sxp, path: str) -> int:
    """Return the whole number at `path`; 0 if there is none, as in libvirt."""
    try:
        return int(text_at(sxp, path))
    except ValueError:
        return 0


def entries(values: Sequence[tuple[str, str]]) -> list[Sxp]:
    """Return `(name value)` for each value that is not empty."""
    return [[name, value] for name, value in values if value]
