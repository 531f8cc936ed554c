"""Chooses where the stacks begin that lead through several domains: at the cause, or the place.

A recorded stack begins in the domain that caused the work, and ends in the one whose processors
did it.
"""

from dataclasses import replace
from typing import Literal

from xenprof.profile.stacks import Frame, StackProfile
from xenprof.report.views.merge import merged

Joined = Literal["cause", "place"]
CAUSE = "[for {}]"
"""The symbol of the first frame of a stack that ran on behalf of another domain."""


def by_place(profile: StackProfile) -> StackProfile:
    """Return the stacks from the domain on where their samples were taken.

    In place of the frames of other domains that led there is one that names their first domain.
    """
    frames = list(profile.frames)
    numbers = {frame: index for index, frame in enumerate(frames)}
    stacks = []
    for stack in profile.stacks:
        domains = [profile.frames[step].domain for step in stack]
        own = len(stack)
        while own and domains[own - 1] == domains[-1]:
            own -= 1
        kept = stack[own:]
        if own and domains[0] != domains[-1]:
            first = profile.frames[kept[0]]
            mark = Frame(CAUSE.format(domains[0]), "", first.layer, first.domain)
            if mark not in numbers:
                numbers[mark] = len(frames)
                frames.append(mark)
            kept = (numbers[mark], *kept)
        stacks.append(kept)
    return merged([replace(profile, frames=tuple(frames), stacks=tuple(stacks))])


def crosses_domains(profile: StackProfile) -> bool:
    """Return whether any time was spent on behalf of another domain."""
    ends = {(stack[0], stack[-1]) for stack in profile.stacks if stack}
    frames = profile.frames
    return any(
        frames[first].domain != frames[last].domain or cause(frames[first]) for first, last in ends
    )


def cause(frame: Frame) -> str:
    """Return the domain on whose behalf the stack after a frame ran; "" if no frame tells."""
    before, _, after = CAUSE.partition("{}")
    if frame.image or not (frame.symbol.startswith(before) and frame.symbol.endswith(after)):
        return ""
    return frame.symbol[len(before) : -len(after)]
