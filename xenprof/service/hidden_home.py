"""Hides from strangers where HOME is on this machine."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class HiddenHome:
    """Writes paths below HOME as `HOME/...` in texts for strangers; the log has them whole."""

    def __init__(self, home: Path | None = None) -> None:
        """With `home` None nothing is hidden."""
        self.is_hidden = home is not None
        self._places: tuple[str, ...] = ()
        if home is not None:
            places = {str(home.absolute()), str(home.resolve())} - {"/"}
            self._places = tuple(sorted(places, key=len, reverse=True))

    def told(self, text: str) -> str:
        """Return the text as it is told."""
        told = text
        for place in self._places:
            told = told.replace(place, "HOME")
        if told != text:
            log.warning("answered over TCP without the place of HOME: %s", text)
        return told
