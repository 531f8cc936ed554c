"""Splits comma lists as oprofile's programs do."""

import re


def split_list(text: str) -> tuple[str, ...]:
    r"""Return the items of a comma list; `\,` is a comma in an item.

    Empty items count, except one at the end. Source: oprofile libutil++/string_manip.cpp.
    """
    items = [item.replace("\\,", ",") for item in re.split(r"(?<!\\),", text)]
    return tuple(items if items[-1] else items[:-1])
