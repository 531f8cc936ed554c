"""The boundary to stacks that were recorded whole, beside a session's sample files."""

from pathlib import Path

from xenprof.stackprofile import StackProfile


def read_stacks(session: Path) -> StackProfile | None:
    """Return the stacks of a session (its directory), None where none were recorded.

    They hold all samples of the session: its sample files are then not read. Raises: StoreError.
    """
    return None
