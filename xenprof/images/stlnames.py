"""Shortens the standard library's types in demangled names, as `-D smart` does.

A type that is written with its default arguments loses them, one that has a shorter name gets it,
and namespaces that say nothing are left out.
Source: what opreport 1.5 prints of such names; the defaults are those of the C++ standard.
"""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xenprof.images.demangle import demangle

_DEFAULTS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("vector", "list", "deque", "_List_base"), ("", "allocator<{0}>")),
    **dict.fromkeys(("set", "multiset"), ("", "less<{0}>", "allocator<{0}>")),
    **dict.fromkeys(
        ("map", "multimap"), ("", "", "less<{0}>", "allocator<pair<{0} const, {1}>>")
    ),
    "_Rb_tree": ("", "", "", "less<{0}>", "allocator<{1}>"),
    **dict.fromkeys(("stack", "queue"), ("", "deque<{0}>")),
    "priority_queue": ("", "vector<{0}>", "less<{0}>"),
    **dict.fromkeys(
        (f"basic_{name}" for name in ("string", "stringbuf", "stringstream",
                                      "istringstream", "ostringstream")),
        ("", "char_traits<{0}>", "allocator<{0}>"),
    ),
    **dict.fromkeys(
        (f"basic_{name}" for name in ("ios", "streambuf", "filebuf", "istream", "ostream",
                                      "iostream", "fstream", "ifstream", "ofstream")),
        ("", "char_traits<{0}>"),
    ),
    **dict.fromkeys(("istreambuf_iterator", "ostreambuf_iterator"), ("", "char_traits<{0}>")),
    "istream_iterator": ("", "char", "char_traits<char>", "long"),
    "ostream_iterator": ("", "char", "char_traits<char>"),
    **dict.fromkeys(("money_get", "time_get", "num_get"), ("", "istreambuf_iterator<{0}>")),
    **dict.fromkeys(("money_put", "time_put", "num_put"), ("", "ostreambuf_iterator<{0}>")),
    "iterator": ("", "", "long", "{1}*", "{1}&"),
}  # fmt: skip
"""The default of each argument, by those before it; empty where there is none."""

_LEFT_OUT = re.compile(r"\bstd::|\{anonymous\}::|\(anonymous namespace\)::", re.ASCII)
_TOKEN = re.compile(r"operator(?:<=>|<<=?|<=?|>>=?|>=?|->\*?)|->|[<>,()]|[^<>,()o-]+|.", re.DOTALL)
_NAME = r"[^\W\d]\w*(?:::[^\W\d]\w*)*"
# Of other types opreport does not know what is their default: those with a number or with a type
# in several parts, such as `char const*`, among their arguments, or with arguments of arguments.
_PLAIN = re.compile(
    rf"(?:(?:un)?signed |long )?(?:long )?{_NAME}(?:<{_NAME}(?:, {_NAME})*>)* *\**", re.ASCII
)
_ELEMENT = re.compile(r"(?P<element>.+?)(?P<const> const)?\*", re.ASCII | re.DOTALL)
_WORD_CHARACTERS = string.ascii_letters + string.digits + "_"
_LONGEST = 1 << 16  # the time grows with the square of it
_CHARACTERS = {"char": "", "wchar_t": "w"}


def smart(name: str) -> str:
    """Return a demangled name with short types: `std::vector<int, std::allocator<int> >` is
    `vector<int>`.
    """
    text = demangle(name)
    if text == name:
        return name
    text = _LEFT_OUT.sub("", text)
    return _shortened(text) if len(text) <= _LONGEST else text


@dataclass(slots=True)
class _Arguments:
    """The arguments of a template as far as they are read, and the one being read."""

    complete: list[str] = field(default_factory=list)
    text: str = ""
    open_brackets: int = 0  # commas inside are no ends of arguments


def _shortened(text: str) -> str:
    """Return a name with each of its types shortened, the innermost first."""
    levels = [_Arguments()]
    for token in _TOKEN.findall(text):
        level = levels[-1]
        is_argument = len(levels) > 1 and not level.open_brackets
        if token == "<":
            levels.append(_Arguments())
        elif token == ">" and is_argument:
            levels.pop()
            arguments = [*level.complete, level.text.strip()]
            levels[-1].text = _with_arguments(levels[-1].text, arguments)
        elif token == "," and is_argument:
            level.complete.append(level.text.strip())
            level.text = ""
        else:
            level.open_brackets += (token == "(") - (token == ")")
            level.text += token
    return levels[0].text if len(levels) == 1 else text


def _with_arguments(before: str, arguments: list[str]) -> str:
    """Return a text that ends in a template's name with its arguments, as short as may be."""
    scope = before.rstrip(_WORD_CHARACTERS)
    name = before[len(scope) :]
    defaults = _DEFAULTS.get(name, ())
    while 1 < len(arguments) <= len(defaults):
        default = defaults[len(arguments) - 1]
        used = [each for index, each in enumerate(arguments) if f"{{{index}}}" in default]
        if name == "_Rb_tree":  # of pairs of a key and a value
            used = [part for each in used for part in _parts(each)]
        if not default or not all(map(_is_plain, used)):
            break
        if default.format(*arguments) != arguments[-1]:
            break
        arguments.pop()
    if (short := _other_name(name, arguments)) is not None:
        return scope.removesuffix("__gnu_cxx::") + short
    return f"{before}<{', '.join(arguments)}>"


def _other_name(name: str, arguments: list[str]) -> str | None:
    """Return what a type is called instead, if it is."""
    match name, arguments:
        case _, [character] if name.startswith("basic_") and name in _DEFAULTS:
            prefix = _CHARACTERS.get(character)
            return None if prefix is None else prefix + name.removeprefix("basic_")
        case "__normal_iterator", [pointer, container]:
            return _iterator(pointer, container)
        case "fpos", ["__mbstate_t"]:
            return "streampos"
        case "_Identity", [value]:
            return value
        case "_Select1st", [pair] if all(map(_is_plain, parts := _parts(pair))):
            return parts[0] if parts[0].endswith(" const") else None
    return None


def _iterator(pointer: str, container: str) -> str | None:
    parts = _ELEMENT.fullmatch(pointer)
    if parts is None or not _PLAIN.fullmatch(parts["element"]):
        return None
    character = _CHARACTERS.get(parts["element"])
    of_string = None if character is None else f"{character}string"
    if container not in (of_string, f"vector<{parts['element']}>"):
        return None
    return f"{container}::{'const_' if parts['const'] else ''}iterator"


def _is_plain(text: str) -> bool:
    """Return whether a type is one whose defaults opreport knows."""
    return _PLAIN.fullmatch(text.removesuffix(" const")) is not None


def _parts(text: str) -> Sequence[str]:
    """Return the two types of a pair; another type is one part."""
    if not text.startswith("pair<"):
        return [text]
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 1:
            return text[len("pair<") : place], text[place + 2 : -1]
    return [text]
