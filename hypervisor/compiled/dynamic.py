"""Finds what stayed slow: the operations of compiled functions that go through Python's objects.

A native operation adds two integers or calls a function at its address; a dynamic one looks up
a name in a dictionary and lets the interpreter decide by the object's type.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_FUNCTION = re.compile(
    r"^[^\n;={}]*\bCPyDef_(\w+)\([^;{}]*\)\s*\{(.*?)^\}", re.DOTALL | re.MULTILINE
)
_DYNAMIC = re.compile(
    r"\b(?:C?PyObject_(?:GetAttr|SetAttr|Call\w*|Vectorcall\w*|RichCompare|GetItem|SetItem|DelItem"
    r"|GetIter|IsTrue)|PyNumber_\w+|PyIter_Next|CPyDict_GetItem)\("
)
_NOT_COUNTED = "__top_level__"  # runs once


def dynamic_operations(c_files: Iterable[Path]) -> dict[str, int]:
    """Return how many dynamic operations each compiled function has, without those that have none.

    Functions are named as in the C code: `credit___CreditScheduler___tick`.
    """
    found: dict[str, int] = {}
    for file in c_files:
        for name, body in _FUNCTION.findall(file.read_text(encoding="utf-8")):
            count = len(_DYNAMIC.findall(body))
            if count and not name.endswith(_NOT_COUNTED):
                found[name] = count
    return dict(sorted(found.items()))
