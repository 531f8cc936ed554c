"""Defines the error of a file that is imported."""

from xenprof.errors import XenprofError


class InputError(XenprofError):
    """A file of the wrong kind, or one that cannot be used; the message names it."""

    def __init__(self, path: str, message: str) -> None:
        """`path` is the file as the user knows it."""
        super().__init__(f"{path}: {message}")
        self.path = path
