"""Makes text for XML and HTML: escaped, and without what XML cannot hold."""

from xml.sax.saxutils import escape

_ILLEGAL = {code: "?" for code in (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)}
_ILLEGAL |= dict.fromkeys(range(0x7F, 0xA0), "?")
_QUOTES = {'"': "&quot;", "'": "&apos;"}


def xml_text(text: str) -> str:
    """Return any text so that it may stand in an element or an attribute."""
    clean = text.translate(_ILLEGAL)
    return escape(clean, _QUOTES)
