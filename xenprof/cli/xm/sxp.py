"""Formats S-expressions as xm prints them: `xm list --long`, `xm create -n`, `xm block-list -l`."""

from string import ascii_letters, digits

_WIDTH = 80
_PLAIN = frozenset(ascii_letters + digits + ".-_:/~")


def format_sxp(tree: object, width: int = _WIDTH, indent: int = 0) -> str:
    """Return nested lists of texts laid out over lines, without a newline at the end.

    A list that ends at column `width` or before stays on one line; any other has each item after
    the first on a line of its own, four columns deeper, and its closing bracket below the opening.
    Brackets that follow a list on its line are not counted: there are none, for its parents
    are broken. Source: tools/python/xen/xend/PrettyPrint.py, SXPPrettyPrinter.
    """
    flat = flat_sxp(tree)
    if not isinstance(tree, list) or not tree or indent + len(flat) <= width:
        return flat
    first = format_sxp(tree[0], width, indent + 1)
    start = "\n" + " " * (indent + 4)
    rest = [start + format_sxp(item, width, indent + 4) for item in tree[1:]]
    return f"({first}{''.join(rest)}\n{' ' * indent})"


def flat_sxp(item: object) -> str:
    """Return a list or a text on one line; texts with other characters than names have are quoted.

    Source: tools/python/xen/xend/sxp.py, show and atomp.
    """
    if isinstance(item, list):
        return f"({' '.join(map(flat_sxp, item))})"
    text = str(item)
    if text == "@" or _PLAIN.issuperset(text):
        return text
    return repr(text.encode("utf-8", "surrogateescape"))[1:]  # like repr() in Python 2
