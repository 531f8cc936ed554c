"""Durations as typed: `60s`, `5m`, `1.5h`, `200ms`; a bare number is seconds."""

import re
from typing import Any

import click

_UNIT_NS = {"ms": 10**6, "s": 10**9, "": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_LONGEST_NS = 2**63  # what a counter of 64 bits holds, 292 years
_LONGEST_SHOWN = 40
_DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h|)")


class Duration(click.ParamType[int]):
    """A duration of model time above 0, converted to nanoseconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the duration in nanoseconds."""
        match = _DURATION.fullmatch(str(value).strip())
        duration_ns = float(match[1]) * _UNIT_NS[match[2]] if match else 0
        if not 0.5 < duration_ns < _LONGEST_NS:
            shown = repr(value)[:_LONGEST_SHOWN]
            self.fail(f"{shown} is not a duration; write 200ms, 60s, 5m or 1h", param, ctx)
        return round(duration_ns)
