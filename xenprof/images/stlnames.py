"""Shortens the standard library's types in demangled names, as `-D smart` does.

Source: the rules of oprofile's stl.pat (libregex) for gcc 3.2 and later, for x86-64: rules are
applied again and again until none changes the name.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from xenprof.images.demangle import demangle

_MOST_ROUNDS = 100

_WORD = r"\b[_a-zA-Z][_a-zA-Z0-9]*+"
_NAME = rf"{_WORD}(?:::{_WORD})*"
_TEMPLATE = rf"{_NAME}(?:<{_NAME}(?:, {_NAME})*>)*"
_NUMBERS = (
    "unsigned short|unsigned int|unsigned long|unsigned char|signed char|long long|"
    "unsigned long long|long double"
)
# A type: a name, with template arguments that have none themselves, and pointers to it.
_TYPE = rf"(?:{_TEMPLATE} *\**|(?:{_NUMBERS}) *\**)"


def smart(name: str) -> str:
    """Return a demangled name with short types: `std::vector<int, std::allocator<int> >` is
    `vector<int>`. Default arguments are removed, and types that have a shorter name get it.
    """
    text = demangle(name)
    if text == name:
        return name
    for _ in range(_MOST_ROUNDS):
        before = text
        for apply in _rules():
            text = apply(text)
        if text == before:
            break
    return text


_Rule = Callable[[str], str]


def _replacer(pattern: re.Pattern[str], replacement: str) -> _Rule:
    """Return a function that replaces the first match until there is none."""

    def apply(text: str) -> str:
        for _ in range(_MOST_ROUNDS):
            match = pattern.search(text)
            if match is None:
                break
            text = text[: match.start()] + match.expand(replacement) + text[match.end() :]
        return text

    return apply


@cache
def _rules() -> Sequence[_Rule]:
    named = [(pattern.replace("@", _TYPE), to) for pattern, to in _PATTERNS]
    return tuple(_replacer(re.compile(pattern, re.ASCII), to) for pattern, to in named)


_STREAMS = "[io]streambuf_iterator|basic_(?:ios|streambuf|(?:[io]|io)stream|filebuf|[io]?fstream)"
_ALIASED = "string|ios|(?:stream|file|string)buf|(?:i|o|io)stream|[io]?(?:fstream|stringstream)"
_NORMAL = "__gnu_cxx::__normal_iterator"
_VECTOR_ITERATOR = r"(vector<(@)>::(?:const_)?iterator)"
_STRING_ITERATOR = r"((?:string|wstring)::(?:const_)?iterator)"
_SELECT = r"_Select1st<pair<\1 const, \2>>"
_TAG = "random_access_iterator_tag"

# In the patterns `@` is a type.
_PATTERNS = (
    (r"\bstd::", ""),
    (" >", ">"),
    (r"\{anonymous\}::", ""),
    (r"\(anonymous namespace\)::", ""),
    (r"\b(multi)?map<(@), (@), (@), allocator<\3>>", r"\1map<\2, \3, \4>"),
    (r"\b(multi)?map<(@), (@), less<\2>>", r"\1map<\2, \3>"),
    (r"\bbitset<(\b[0-9]+), unsigned long>", r"bitset<\1>"),
    (r"\b([io]stream_iterator)<char, long>", r"\1<char>"),
    (r"\bdeque<(@), allocator<\1>, 0>", r"deque<\1>"),
    (r"\b(stack|queue)<(@), deque<\2>>", r"\1<\2>"),
    (r"\b(vector|list|deque)<(@), allocator<\2>>", r"\1<\2>"),
    (r"\bpriority_queue<(@), vector<\1>, less<\1>>", r"priority_queue<\1>"),
    (r"\b(multi)?set<(@), (@), allocator<\2>>", r"\1set<\2, \3>"),
    (r"\b(multi)?set<(@), less<\2>>", r"\1set<\2>"),
    (r"\b_Rb_tree_iterator<(@), \1 const *&, \1 const *\*>", r"_Rb_tree<\1>::const_iterator"),
    (r"\b_Rb_tree_iterator<(@), \1 *&, \1 *\*>", r"_Rb_tree<\1>::iterator"),
    (
        r"\b_Rb_tree_iterator<(pair<@ const, @>), \1 const *&, \1 const *\*>",
        r"_Rb_tree<\1>::const_iterator",
    ),
    (r"\b_Rb_tree_iterator<(pair<@ const, @>), \1 *&, \1 *\*>", r"_Rb_tree<\1>::iterator"),
    (
        r"\b_Rb_tree<(@), \1, _Identity<\1>, (@), allocator<\1>>",
        r"_Rb_tree<\1, \1, _Identity<\1>, \2>",
    ),
    (r"_Rb_tree<(@), \1, _Identity<\1>, less<\1>>", r"_Rb_tree<\1, \1, _Identity<\1>>"),
    (
        rf"\b_Rb_tree<(@), pair<\1 const, (@(?: const)?)>, {_SELECT}, less<\1>, allocator<\2>>",
        rf"_Rb_tree<\1, pair<\1 const, \2>, {_SELECT}, less<\1>>",
    ),
    (
        rf"\b_Rb_tree<(@), pair<\1 const, (@)>, {_SELECT}, less<\1>, "
        r"allocator<pair<\1 const, \2>>>",
        rf"_Rb_tree<\1, pair<\1 const, \2>, {_SELECT}, less<\1>>",
    ),
    (
        rf"\b_Rb_tree<(@), pair<\1 const, (@(?: const)?)>, {_SELECT}, less<\1>>",
        rf"_Rb_tree<\1, pair<\1 const, \2>, {_SELECT}>",
    ),
    (r"\b_Identity<(@)>", r"\1"),
    (r"\b_Select1st<pair<(@) const, @(?: const)?>>", r"\1 const"),
    (r"\b_List_base<(@), allocator<\1>>", r"_List_base<\1>"),
    (
        r"\b(multi)?map<(@), (@), (@), allocator<pair<\2 const, \3>>>",
        r"\1map<\2, \3, \4>",
    ),
    (r"\bbitset<\(unsigned long\)(\b[0-9]+)>", r"bitset<\1>"),
    (
        r"\biterator<(input|output|forward|bidirectional|random)_iterator_tag, (@), long, \2\*, "
        r"\2&>",
        r"iterator<\1_iterator_tag, \2>",
    ),
    (r"\b([io]stream_iterator)<(@), char, char_traits<char>, long>", r"\1<\2>"),
    (rf"\b{_NORMAL}<(w?)char(?:_t)? const\*, (\1string)>", r"\2::const_iterator"),
    (rf"\b{_NORMAL}<(w?)char(?:_t)?\*, (\1string)>", r"\2::iterator"),
    (rf"\b{_NORMAL}<(@) const\*, vector<\1>>", r"vector<\1>::const_iterator"),
    (rf"\b{_NORMAL}<(@)\*, vector<\1>>", r"vector<\1>::iterator"),
    (r"\b_List_iterator<(@), \1 *&, \1 *\*>", r"list<\1>::iterator"),
    (r"\b_List_iterator<(@), \1 const *&, \1 const *\*>", r"list<\1>::const_iterator"),
    (rf"\b({_STREAMS})<(@), char_traits<\2>>", r"\1<\2>"),
    (
        r"\bbasic_(string(?:buf)?|[io]?stringstream)?<(@), char_traits<\2>, allocator<\2>>",
        r"basic_\1<\2>",
    ),
    (rf"\bbasic_({_ALIASED})<char>", r"\1"),
    (rf"\bbasic_({_ALIASED})<wchar_t>", r"w\1"),
    (r"\bfpos<__mbstate_t>", "streampos"),
    (r"\b(money|time|num)_(put|get)<(@), [io]streambuf_iterator<\3>>", r"\1_\2<\3>"),
    (r"\bmoneypunct(_byname)?<(@), \(bool\)0>", r"moneypunct\1<\2>"),
    (
        rf"\b{_VECTOR_ITERATOR} find<\1, (@)>\(\1, \1, \3 const&, (@)\)",
        r"\1 find(\1, \1, \3 const&, \4)",
    ),
    (
        rf"\b{_STRING_ITERATOR} find<\1, (@)>\(\1, \1, \2 const&, (@)\)",
        r"\1 find(\1, \1, \2 const&, \3)",
    ),
    (
        rf"\b{_VECTOR_ITERATOR} find_if<\1, (@)>\(\1, \1, \3, {_TAG}\)",
        rf"\1 find_if(\1, \1, \3, {_TAG})",
    ),
    (
        rf"\b{_STRING_ITERATOR} find_if<\1, (@)>\(\1, \1, \2, {_TAG}\)",
        rf"\1 find_if(\1, \1, \2, {_TAG})",
    ),
)
