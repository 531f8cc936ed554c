"""Keeps what others wrote to one line, whatever is in it."""


def one_line(text: str) -> str:
    """Return a text without what could break a line or command a terminal: that is escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
