"""Defines the error of a command of virsh."""

from xenprof.errors import XenprofError


class VirshError(XenprofError):
    """A command that failed: the text after `error: `, and the library's message before it."""

    def __init__(self, message: str = "", library: str = "") -> None:
        """`library` is the text after `libvir: `. Either text may be empty."""
        super().__init__(message)
        self.library = library
