"""Demangles the names of C++ functions.

LLVM's demangler (pycxxfilt), turned to the style of GNU's, which opreport shows: `> >` for
nested templates, a space after `operator<`. Of the 17000 names of libstdc++, libicu and gdb
five differ, all of unnamed types.

A name of 300 letters can stand for gigabytes: parts refer to earlier parts. LLVM ends the whole
process when memory runs out. So names with many references go to a process of their own, which
has little memory, and stay mangled if they are too large for it.
"""

import atexit
import re
import subprocess
import sys
from functools import cache

_CLONES = {"_ZGTt": "transaction clone for ", "_ZGTn": "non-transaction clone for "}
_OPERATOR = re.compile(r"\boperator(<=>|<<=|<<|<=|<|>>=|>>|>=|>|->\*|->)(<?)")
_GAP = re.compile(r"(?<=>)(?=>)")
_MASK = str.maketrans("<>", "\x01\x02")
_UNMASK = str.maketrans("\x01\x02", "<>")


def demangle(name: str) -> str:
    """Return a symbol's name demangled; a name that is not mangled is unchanged.

    A leading dot (of code on PowerPC) is ignored.
    """
    plain = name.removeprefix(".")
    if not plain.startswith("_Z"):
        return name
    return _demangled(plain) or name


def _demangled(name: str) -> str:
    """Return the demangled name; empty if it is not mangled."""
    clone = _CLONES.get(name[:5])
    if clone is not None:
        inner = _demangled(f"_Z{name[5:]}")
        return clone + inner if inner else ""
    if len(name) > _LONGEST:
        return ""
    if len(_REFERENCE.findall(name)) > _MOST_REFERENCES:
        text = _helper().demangle(name)
    else:
        text = _by_llvm(name)
    text = _OPERATOR.sub(_space, text)
    text = _GAP.sub(" ", text).replace("std::nullptr_t", "decltype(nullptr)")
    return text.translate(_UNMASK)


def _by_llvm(name: str) -> str:
    from pycxxfilt import (
        itanium_demangle,
    )  # loaded when first needed: C has no such names

    try:
        return itanium_demangle(name) or ""
    except ValueError:
        return ""


_REFERENCE = re.compile(r"S[0-9A-Z]*_|T[0-9A-Z]*_")
_MOST_REFERENCES = 24
"""Three references to the same earlier part triple it: 24 make at most 3^8 copies."""

_LONGEST = 1 << 14
_MOST_HELPERS = 3

_HELPER = """
import resource, sys
import pycxxfilt
most = 256 << 20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for line in sys.stdin:
    try:
        text = pycxxfilt.itanium_demangle(line[:-1]) or ""
    except ValueError:
        text = ""
    print(text if len(text) < 1 << 16 else "", flush=True)
"""


class _Helper:
    """A process that demangles names, and that a name may kill."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._started = 0

    def demangle(self, name: str) -> str:
        """Return the demangled name; empty if it is not mangled or too large."""
        if not name.isprintable() or not name.isascii():
            return ""
        process = self._process
        if process is None:
            if self._started == _MOST_HELPERS:
                return ""
            self._started += 1
            process = self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _HELPER],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            self.close()
        return answer.removesuffix("\n")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@cache
def _helper() -> _Helper:
    helper = _Helper()
    atexit.register(helper.close)
    return helper


def _space(match: re.Match[str]) -> str:
    """Return an operator's name with its brackets hidden, apart from template arguments."""
    operator = f"operator{match[1].translate(_MASK)}"
    if not match[2]:
        return operator
    return f"{operator} <" if match[1].endswith("<") else f"{operator}<"


def smart(name: str) -> str:
    """Return a demangled name with the standard library's types shortened.

    Default arguments are removed, and types that have a shorter name get it, as far as they
    nest: `std::vector<int, std::allocator<int> >` is `vector<int>`. Source: oprofile's stl.pat.
    """
    text = demangle(name)
    if text == name:
        return name
    for pattern, replacement in _simple_rules():
        text = pattern.sub(replacement, text)
    for _ in range(_MOST_PASSES):
        before = text
        for pattern, replacement in _rules():
            text = pattern.sub(replacement, text)
        if text == before:
            break
    return text


_MOST_PASSES = 20

# A type: words with template arguments, three levels deep, and pointers.
_WORD = r"[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*"
_FLAT = rf"(?:(?:unsigned|signed|long|short) )*{_WORD}(?: const)?(?: ?[*&])*"
_INNER = rf"{_FLAT}(?:<{_FLAT}(?:, {_FLAT})*>(?:::{_WORD})?(?: const)?(?: ?[*&])*)?"
_TYPE = rf"{_FLAT}(?:<{_INNER}(?:, {_INNER})*>(?:::{_WORD})?(?: const)?(?: ?[*&])*)?"


@cache
def _simple_rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    return (
        (re.compile(r"\bstd::(?:__cxx11::)?"), ""),
        (re.compile(r" >"), ">"),
        (re.compile(r"\{anonymous\}::|\(anonymous namespace\)::"), ""),
    )


_STREAMS = (
    "[io]streambuf_iterator|basic_ios|basic_streambuf|basic_[io]stream|basic_iostream|"
    "basic_filebuf|basic_[io]?fstream"
)
_ALIASED = (
    "string|ios|streambuf|filebuf|stringbuf|[io]stream|iostream|[io]?fstream|[io]?stringstream"
)
_PAIR = r"pair<\2 const, \3>"
_STRINGS = r"string(?:buf)?|[io]?stringstream"
_NORMAL = "__gnu_cxx::__normal_iterator"


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    t = f"({_TYPE})"
    tree = r"_Rb_tree<\1, \1, _Identity<\1>"
    rules = (
        (rf"\b({_STREAMS})<{t}, char_traits<\2>>", r"\1<\2>"),
        (rf"\bbasic_({_STRINGS})<{t}, char_traits<\2>, allocator<\2>>", r"basic_\1<\2>"),
        (rf"\bbasic_({_ALIASED})<char>", r"\1"),
        (rf"\bbasic_({_ALIASED})<wchar_t>", r"w\1"),
        (rf"\b(vector|list|deque|_List_base)<{t}, allocator<\2>>", r"\1<\2>"),
        (rf"\b(stack|queue)<{t}, deque<\2>>", r"\1<\2>"),
        (rf"\bpriority_queue<{t}, vector<\1>, less<\1>>", r"priority_queue<\1>"),
        (rf"\b(multi)?set<{t}, {t}, allocator<\2>>", r"\1set<\2, \3>"),
        (rf"\b(multi)?set<{t}, less<\2>>", r"\1set<\2>"),
        (rf"\b(multi)?map<{t}, {t}, {t}, allocator<{_PAIR}>>", r"\1map<\2, \3, \4>"),
        (rf"\b(multi)?map<{t}, {t}, less<\2>>", r"\1map<\2, \3>"),
        (rf"\b_Rb_tree<{t}, \1, _Identity<\1>, {t}, allocator<\1>>", rf"{tree}, \2>"),
        (rf"\b_Rb_tree<{t}, \1, _Identity<\1>, less<\1>>", rf"{tree}>"),
        (
            rf"\b_Rb_tree<{t}, pair<\1 const, {t}>, _Select1st<pair<\1 const, \2>>, less<\1>, "
            r"allocator<pair<\1 const, \2>>>",
            r"_Rb_tree<\1, pair<\1 const, \2>, _Select1st<pair<\1 const, \2>>>",
        ),
        (rf"\b_Identity<{t}>", r"\1"),
        (rf"\b_Select1st<pair<{t} const, {t}>>", r"\1 const"),
        (rf"\b{_NORMAL}<char const\*, string>", "string::const_iterator"),
        (rf"\b{_NORMAL}<char\*, string>", "string::iterator"),
        (rf"\b{_NORMAL}<{t} const\*, vector<\1>>", r"vector<\1>::const_iterator"),
        (rf"\b{_NORMAL}<{t}\*, vector<\1>>", r"vector<\1>::iterator"),
        (r"\bfpos<__mbstate_t>", "streampos"),
        (rf"\b(money|time|num)_(put|get)<{t}, [io]streambuf_iterator<\3>>", r"\1_\2<\3>"),
        (rf"\bmoneypunct(_byname)?<{t}, (?:\(bool\)0|false)>", r"moneypunct\1<\2>"),
    )
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)
