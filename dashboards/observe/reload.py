"""Reads from the log of a server whether it has taken a configuration, as nothing else tells.

Its page says so too, but that may ask for a password which we do not have.
"""

from pathlib import Path

from dashboards.observe.settings import CannotObserve

_TAKEN = "Completed loading of configuration file"
_REFUSED = ("Loading configuration file failed", "Error reloading config")  # Alertmanager first


class Refused(CannotObserve):
    """Says in the words of the log why a configuration was refused."""


def is_taken(log: Path, since: int) -> bool:
    """Return whether the log says so after its first `since` bytes. Raises: Refused."""
    with log.open("rb") as text:
        text.seek(since)
        for line in text.read().decode(errors="replace").splitlines():
            if any(words in line for words in _REFUSED):
                raise Refused(line)
            if _TAKEN in line:
                return True
    return False
