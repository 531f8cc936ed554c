"""Writes a log that says the same thing once a minute, and how often it could have said it.

What others cause, be it by mistake or on purpose, must not fill a disk.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 60.0
TEXTS_PER_PLACE = 20
"""So many different texts a minute from one place in the code; judgement."""

_Key = tuple[str, int, str]


@dataclass(slots=True)
class _Said:
    at: float
    place: str
    again: int = 0


class SparingHandler(logging.Handler):
    """Passes records on to another handler, each text at most once a minute.

    The next record after the minute brings out how often it was left out. Beyond the number of
    different texts that one place in the code may write, the text without its parts counts.
    """

    def __init__(
        self, target: logging.Handler, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` returns seconds."""
        super().__init__()
        self._target = target
        self._clock = clock
        self._said: dict[_Key, _Said] = {}  # the oldest first
        self._texts: Counter[str] = Counter()  # by place, of those in `_said`

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        try:
            self._tell_again()
            text, place = record.getMessage(), str(record.msg)
            key = (record.name, record.levelno, text)
            if key not in self._said and self._texts[place] >= TEXTS_PER_PLACE:
                key = (record.name, record.levelno, place)
            if said := self._said.get(key):
                said.again += 1
                return
            self._said[key] = _Said(self._clock(), place)
            self._texts[place] += 1
        except Exception:
            self.handleError(record)
            return
        self._target.handle(record)

    def _tell_again(self) -> None:
        """Write how often each text was left out whose minute is over."""
        now = self._clock()
        while self._said:
            key, said = next(iter(self._said.items()))
            if now - said.at < SECONDS:
                return
            del self._said[key]
            if said.again:
                name, level, text = key
                told = f"{said.again} more in {round(now - said.at)} s: {text}"
                self._target.handle(logging.LogRecord(name, level, "", 0, told, None, None))
                self._said[key] = _Said(now, said.place)
            else:
                self._texts -= Counter([said.place])

    def close(self) -> None:
        """Close the other handler too."""
        self._target.close()
        super().close()
