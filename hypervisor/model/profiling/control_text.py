"""Reads the text that is written below /dev/oprofile as the kernel does.

Source: Linux 2.6.18-xen drivers/oprofile/oprofile_files.c, lib/vsprintf.c (simple_strtoul).
"""

import re
import string

from hypervisor.errors import EINVAL, OprofilefsError

_SEPARATORS = re.compile(rf"[\s{re.escape(string.punctuation)}]+")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*)")
_BASES = (16, 8, 10)  # of its groups


def c_number(text: str) -> int | None:
    """Return the number that C reads from `text` with base 0, None if there is more in it."""
    found = _NUMBER.fullmatch(text)
    if found is None or found.lastindex is None:
        return None
    return int(text, _BASES[found.lastindex - 1])


def domain_ids(value: str, limit: int) -> list[int]:
    """Return the ids in a list of numbers, which are separated by punctuation or blanks.

    Raises: OprofilefsError EINVAL for anything else, and for more than `limit` ids.
    """
    words = _SEPARATORS.split(value.strip())
    if not words[-1]:
        words.pop()
    if len(words) > limit:
        raise OprofilefsError(EINVAL, f"more than {limit} domains")
    numbers = [number for word in words if (number := c_number(word)) is not None]
    if len(numbers) < len(words):
        raise OprofilefsError(EINVAL, f"{value!r} is not a list of domain ids")
    return numbers
