"""Holds the stacks of a profile as columns, so that few operations handle 100 000 of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from xenprof.profile.stacks import Frame, StackProfile

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Paths:
    """Stacks, one after the other, outermost first. Stack i has `lengths[i]` of the `steps`."""

    steps: Ints
    lengths: Ints

    @property
    def starts(self) -> Ints:
        """Return the index in `steps` at which each stack begins."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def owners(self) -> Ints:
        """Return the stack of each step."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def firsts(self) -> npt.NDArray[np.bool_]:
        """Return which steps are the first of their stacks."""
        found = np.zeros(len(self.steps), np.bool_)
        found[self.starts[self.lengths > 0]] = True
        return found

    def keep(self, wanted: npt.NDArray[np.bool_]) -> "Paths":
        """Return the stacks with only some of their steps."""
        lengths = np.bincount(self.owners[wanted], minlength=len(self.lengths))
        return Paths(self.steps[wanted], lengths)

    def leaves(self) -> Ints:
        """Return the last step of each stack; -1 where it has none."""
        last = np.full(len(self.lengths), -1, np.int64)
        some = self.lengths > 0
        last[some] = self.steps[(self.starts + self.lengths - 1)[some]]
        return last


def paths(stacks: Sequence[Sequence[int]]) -> Paths:
    """Return stacks as columns."""
    lengths = np.fromiter(map(len, stacks), np.int64, len(stacks))
    steps = np.fromiter(chain.from_iterable(stacks), np.int64, int(lengths.sum()))
    return Paths(steps, lengths)


def relabelled(of: Paths, codes: Ints, *, collapse: bool = False) -> Paths:
    """Return the stacks with `codes[step]` for each step.

    With `collapse` neighbours that have become equal are one step.
    """
    changed = Paths(codes[of.steps] if len(of.steps) else of.steps, of.lengths)
    if not collapse or not len(changed.steps):
        return changed
    differs = np.ones(len(changed.steps), np.bool_)
    differs[1:] = changed.steps[1:] != changed.steps[:-1]
    return changed.keep(differs | changed.firsts)


def with_marks(of: Paths, group: Ints, marks: Ints) -> Paths:
    """Return the stacks with a step `marks[g]` in front of each run of steps of group g.

    `group[step]` is the group of a step, as a domain is of a frame.
    """
    if not len(of.steps):
        return of
    groups = group[of.steps]
    differs = np.ones(len(groups), np.bool_)
    differs[1:] = groups[1:] != groups[:-1]
    places = np.flatnonzero(differs | of.firsts)
    steps = np.insert(of.steps, places, marks[groups[places]])
    return Paths(steps, of.lengths + np.bincount(of.owners[places], minlength=len(of.lengths)))


def symbol_text(frame: Frame) -> str:
    """Return the name of a frame's function; where it is not known, its image in brackets."""
    image = image_text(frame.image)
    is_bracketed = image.startswith("[") and image.endswith("]")  # [anon], [unknown]
    return frame.symbol or (image if is_bracketed else f"[{image}]")


def image_text(image: str) -> str:
    """Return the short name of an image: the last part of its path."""
    return image.rpartition("/")[2] or image


def joined(first: StackProfile, second: StackProfile) -> tuple[StackProfile, int]:
    """Return the stacks of both profiles over common frames, and how many are the first's.

    `values` are of the first event of each, in one column.
    """
    number = {frame: index for index, frame in enumerate(first.frames)}
    for frame in second.frames:
        number.setdefault(frame, len(number))
    codes = [number[frame] for frame in second.frames]
    moved = tuple(tuple(codes[step] for step in stack) for stack in second.stacks)
    both = StackProfile(
        tuple(number),
        first.stacks + moved,
        np.concatenate([first.values[:, :1], second.values[:, :1]]),
        first.types[:1],
    )
    return both, len(first.stacks)
