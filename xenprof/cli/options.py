"""Options that several commands of `xenprof` share."""

import math
from pathlib import Path
from typing import Any

import click

from xenprof.home import home

MAX_DEPTH = 255
"""More callers than that are never recorded."""


class WholeNumber(click.IntRange):
    """A whole number in a range; messages do not say `integer range`."""

    name = "integer"


class RealNumber(click.FloatRange):
    """A finite number in a range."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; one that is none (`nan`) would be in every range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


state_dir_option = click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Instead of $XENPROF_HOME.",
)
callgraph_option = click.option(
    "--callgraph",
    "depth",
    type=WholeNumber(0, MAX_DEPTH),
    default=0,
    metavar="N",
    help="Record call stacks, up to N callers of each sample.",
)


def home_at(state_dir: Path | None) -> Path:
    """Return the HOME that --state-dir names, else the usual one."""
    return state_dir.absolute() if state_dir else home()
