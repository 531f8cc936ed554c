"""The prompt at the bottom of the screen, which asks for a new delay."""

from textual import events

from xenprof.xentop.view import parse_delay

DELAY_PROMPT = "Delay(sec)"
LONGEST_ENTRY = 79  # characters. Source: xentop.c, PROMPT_VAL_LEN


class DelayPrompt:
    """Edits the delay that a user types."""

    def __init__(self) -> None:
        self.entry: str | None = None  # the text typed, while it is asked for
        self.complaint: str | None = None  # a message on the typed text, until the next key

    def ask(self) -> None:
        """Begin with an empty text."""
        self.entry = ""

    def edit(self, event: events.Key) -> float | None:
        """Obey a key; return the new delay in seconds if it has been entered."""
        entry = self.entry or ""
        if event.key in ("escape", "enter"):
            self.entry = None
            return self._parsed(entry) if event.key == "enter" and entry else None
        if event.key in ("backspace", "ctrl+h"):
            self.entry = entry[:-1]
        elif event.character and event.is_printable:
            self.entry = (entry + event.character)[:LONGEST_ENTRY]
        return None

    def _parsed(self, entry: str) -> float | None:
        try:
            return parse_delay(entry)
        except ValueError as error:
            self.complaint = str(error)
            return None
