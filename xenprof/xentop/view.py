"""What a user has chosen to see of the table, and how often."""

from dataclasses import dataclass

DEFAULT_DELAY_SECONDS = 3.0
LONGEST_DELAY_SECONDS = 1e6


@dataclass(frozen=True, slots=True)
class View:
    """The user's choice of what to see. `sort` is the number of a column."""

    sort: int = 0
    networks: bool = False
    vbds: bool = False
    vcpus: bool = False
    repeats_head: bool = False
    has_full_names: bool = False  # where xentop would cut them


def parse_delay(text: str) -> float:
    """Return a delay in seconds.

    Raises: ValueError with the sentence for the user.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < LONGEST_DELAY_SECONDS:
        raise ValueError(f"the delay must be a number of seconds above 0, not '{text}'")
    return seconds
