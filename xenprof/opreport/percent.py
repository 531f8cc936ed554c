"""Formats percentages as opreport prints them."""

WIDTH = 7


def share(part: float, whole: float) -> float:
    """Return `part` of `whole` in percent; 0 of 0 is 0."""
    return part / whole * 100 if whole else 0.0


def percent_text(percent: float, *, signed: bool = False) -> str:
    """Return `percent` with 2 + 4 digits, at least seven characters wide.

    Very small values switch to powers of ten, and `100.` gives up its last digit to keep
    the width.
    """
    if percent == 0.0:
        return "      0"
    sign = "+" if signed else ""
    if abs(percent) <= 0.001:
        return format(percent, f"{sign}{WIDTH}.1e")
    text = format(percent, f"{sign}{WIDTH}.4f")
    return text[:-1] if text.startswith("100.") else text
