"""Defines the request to a format: a profile and how to show it."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from xenprof.profile.spelling import spelled, spelled_profile
from xenprof.profile.stacks import StackProfile
from xenprof.report.views.joining import Joined
from xenprof.report.views.table import FIELDS

EMPTY = StackProfile((), (), np.empty((0, 0), np.int64), ())


@dataclass(frozen=True, slots=True)
class Request:
    """A profile, and how to show it; formats ignore the fields that do not concern them.

    `event` is the column of the profile to draw where only one can be. `base` is what the
    profile is compared with: it has one event, and then the profile has only that as well.
    `joined` tells where the stacks begin that lead through several domains.
    `threshold_percent` leaves out rows with less of the (first) event. `trace` is the path of a
    recorded trace, `mhz` the speed of its tsc (None: the speed in its records).
    """

    profile: StackProfile = EMPTY
    fields: tuple[str, ...] = FIELDS
    tree: Literal["top-down", "bottom-up"] | None = None
    event: int = 0
    limit: int | None = None
    threshold_percent: float = 0.0
    base: StackProfile | None = None
    title: str = ""
    base_title: str = ""
    joined: Joined = "cause"
    trace: str = ""
    mhz: float | None = None

    def spelled(self) -> Self:
        """Return it with every text as UTF-8, which formats rely on."""
        return replace(
            self,
            profile=spelled_profile(self.profile),
            base=None if self.base is None else spelled_profile(self.base),
            title=spelled(self.title),
            base_title=spelled(self.base_title),
        )
