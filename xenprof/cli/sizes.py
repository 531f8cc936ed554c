"""Sizes as typed: `200MB`, `1GiB`, `64k`; a bare number is bytes."""

import re
from typing import Any

import click

_UNITS = {"": 1}
for _power, _letter in enumerate("kmgt", 1):
    _UNITS |= {_letter: 1000**_power, f"{_letter}b": 1000**_power, f"{_letter}ib": 1024**_power}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*([a-z]{0,3})")


class Size(click.ParamType[int]):
    """A size above 0, converted to bytes."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the size in bytes."""
        match = _SIZE.fullmatch(str(value).strip().lower())
        size = round(float(match[1]) * _UNITS.get(match[2], 0)) if match else 0
        if size <= 0:
            self.fail(
                f"{value!r} is not a size; write 200MB, 1GiB or a number of bytes", param, ctx
            )
        return size
