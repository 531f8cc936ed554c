"""Calls the demanglers: that of the system's libstdc++, and LLVM's as the second choice."""

import ctypes
import re
from collections.abc import Callable
from functools import cache

_LIBRARY = "libstdc++.so.6"
_CLONE = re.compile(r"(?:\.(?:[a-z_]+|[0-9]+)(?:\.[0-9]+)*)+$")
_CLONE_PART = re.compile(r"\.(?:[a-z_]+|[0-9]+)(?:\.[0-9]+)*")


def by_libstdcxx(name: str) -> str:
    """Return a demangled name, empty if it is not mangled. Needs `has_libstdcxx()`."""
    demangler = _libstdcxx()
    return "" if demangler is None else demangler(name)


def has_libstdcxx() -> bool:
    """Return whether the system has libstdc++; macOS and some small systems have not."""
    return _libstdcxx() is not None


@cache
def _libstdcxx() -> Callable[[str], str] | None:
    """Return libstdc++'s demangler, None where there is none."""
    try:
        function = ctypes.CDLL(_LIBRARY).__cxa_demangle
        free = ctypes.CDLL(None).free
    except (OSError, AttributeError):
        return None
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    free.restype = None
    free.argtypes = [ctypes.c_void_p]

    def demangled(name: str) -> str:
        text = function(name.encode(errors="surrogateescape"), None, None, None)
        if not text:
            return ""
        try:
            return ctypes.string_at(text).decode(errors="surrogateescape")
        finally:
            free(text)

    return demangled


_COPIES = {"_ZGTt": "transaction clone for ", "_ZGTn": "non-transaction clone for "}
_OPERATOR = re.compile(r"\boperator(<=>|<<=|<<|<=|<|>>=|>>|>=|>|->\*|->)(<?)")
_GAP = re.compile(r"(?<=>)(?=>)")
_MASK = str.maketrans("<>", "\x01\x02")
_UNMASK = str.maketrans("\x01\x02", "<>")


def by_llvm(name: str) -> str:
    """Return a name demangled by LLVM in GNU's style, empty if it is not mangled.

    That is `> >` for nested templates, a space after `operator<`, clones in brackets. Names of
    lambdas and of types that depend on others stay LLVM's.
    """
    from pycxxfilt import itanium_demangle  # loaded when first needed: C has no such names

    copy = _COPIES.get(name[:5])
    if copy is not None:
        inner = by_llvm(f"_Z{name[5:]}")
        return copy + inner if inner else ""
    clone = _CLONE.search(name)
    try:
        text = itanium_demangle(name[: clone.start()] if clone else name) or ""
    except ValueError:
        return ""
    if not text:
        return ""
    text = _GAP.sub(" ", _OPERATOR.sub(_space, text))
    text = text.replace("std::nullptr_t", "decltype(nullptr)").translate(_UNMASK)
    parts = _CLONE_PART.findall(clone[0]) if clone else []
    return text + "".join(f" [clone {part}]" for part in parts)


def _space(match: re.Match[str]) -> str:
    """Return an operator's name with its brackets hidden, apart from template arguments."""
    operator = f"operator{match[1].translate(_MASK)}"
    if not match[2]:
        return operator
    return f"{operator} <" if match[1].endswith("<") else f"{operator}<"
