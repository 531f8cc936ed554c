"""How a command of virsh fails."""

from xenprof.errors import XenprofError


class VirshError(XenprofError):
    """A command that fails: the text after `error: `, and before it what the library said."""

    def __init__(self, message: str = "", library: str = "") -> None:
        """Keep both; `library` is the text after `libvir: `. Either may be empty."""
        super().__init__(message)
        self.library = library
