"""Spells names that are not UTF-8, so that every format can hold them and they stay different.

Names come as bytes: a byte that is not UTF-8 is a surrogate in a text (Python's surrogateescape).
Replacing each by `?` would make one name of two.
"""

import operator
from dataclasses import replace

from xenprof.profile.stacks import Frame, StackProfile


def spelled(text: str) -> str:
    r"""Return a text that is UTF-8: a byte that is not becomes `\udcNN`, as in metrics."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def spelled_profile(profile: StackProfile) -> StackProfile:
    """Return a profile whose texts are spelled; the same one if they are already."""
    frames = tuple(_frame(frame) for frame in profile.frames)
    host = spelled(profile.host)
    if host == profile.host and all(map(operator.is_, frames, profile.frames)):
        return profile
    return replace(profile, frames=frames, host=host)


def _frame(frame: Frame) -> Frame:
    texts = (frame.symbol, frame.image, frame.domain, frame.file)
    symbol, image, domain, file = new = tuple(map(spelled, texts))
    if new == texts:
        return frame
    return replace(frame, symbol=symbol, image=image, domain=domain, file=file)
