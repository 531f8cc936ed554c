"""What can be wrong with a capture."""

from xenprof.errors import XenprofError


class CaptureError(XenprofError):
    """A capture or symbol file that cannot be used; the message names it."""

    def __init__(self, path: str, message: str) -> None:
        """`path` is the file as the user gave it."""
        super().__init__(f"{path}: {message}")
        self.path = path
