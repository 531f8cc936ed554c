"""Defines the tree of errors that a user of the profiler can make or meet.

    XenprofError                exit 1, HTTP 400
      UsageError                                an option or argument that makes no sense
      EventError                                an event specification; messages are ophelp's
      ImageError                                an image that cannot be used
      StoreError                                something about the sample store
        CorruptSampleFile                       not a sample file, or a damaged one
        VersionMismatch                         a sample file of an unknown version
        BadSamplePath                           a path that names no sample file
        StoreFull               HTTP 507        no space for a sample file; the old one is intact
        SessionExists           HTTP 409        --save to a name that is taken
        NothingToSave           exit 0          --save without a current session
        SessionLocked           HTTP 409        another daemon holds the session directory

Errors of a single package are defined there, below one of these.
The message is what a program prints after its own `PROG error: ` prefix.
"""


class XenprofError(Exception):
    """Base of all errors above the host; `exit_code` and `http_status` per class."""

    exit_code: int = 1
    http_status: int = 400


class UsageError(XenprofError):
    """An option or argument that makes no sense."""


class EventError(XenprofError):
    """An event specification that cannot be used; the message is ophelp's."""


class ImageError(XenprofError):
    """An image that cannot be used. `path` is the path as the user knows it."""

    def __init__(self, path: str, message: str = "") -> None:
        """Keep `path`; the default message is opcontrol's."""
        super().__init__(message or f"The specified file {path} does not seem to be valid")
        self.path = path


class StoreError(XenprofError):
    """A part of the sample store that cannot be read or written. `path` tells where."""

    def __init__(self, path: str, message: str) -> None:
        """Keep `path`; `message` is complete and names it."""
        super().__init__(message)
        self.path = path


class CorruptSampleFile(StoreError):
    """Not a sample file, or a damaged one; the message is opreport's."""


class VersionMismatch(StoreError):
    """A sample file whose version is none of 0x10 to 0x13."""


class BadSamplePath(StoreError):
    """A path below a session that names no sample file, or a key that has no path."""


class StoreFull(StoreError):
    """No space for a sample file. What was written before is intact."""

    http_status = 507


class SessionExists(StoreError):
    """A session of that name exists already."""

    http_status = 409

    def __init__(self, path: str) -> None:
        """`path` is the directory of the session as the user knows it."""
        super().__init__(path, f"session {path} already exists")


class NothingToSave(StoreError):
    """There is no current session. opcontrol prints so and succeeds."""

    exit_code = 0

    def __init__(self, path: str) -> None:
        """`path` is the directory of the session as the user knows it."""
        super().__init__(path, f"{path} doesn't exist: nothing to save")


class SessionLocked(StoreError):
    """Another daemon holds the session directory."""

    http_status = 409

    def __init__(self, path: str, pid: int) -> None:
        """`path` is the lock file, `pid` its holder."""
        super().__init__(path, f"{path} is held by the daemon with pid {pid}; shut it down first")
        self.pid = pid
