"""Reads folded stacks: `a;b;c N`, a line for each stack, the outermost caller first.

    {DOMAIN};IMAGE`SYMBOL_[k];...    as `xenprof report --format folded` writes them

Only a file that consists of such lines has domains: PHP, Rust and JavaScript name functions
`{main}` too. Steps of other tools are functions of one program; those that end in `_[k]` are
the kernel's. Lines that begin with `#` are comments.

Source: flamegraph.pl, stackcollapse-perf.pl; comments as austin writes them.
"""

import re
from collections.abc import Iterator, Mapping

from xenprof.imports.errors import InputError
from xenprof.imports.foldedsteps import split_step
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import (
    LARGEST_TOTAL,
    Recording,
    Rows,
    Task,
    clean,
    event_names,
)
from xenprof.profile.stacks import SampleType

_LONGEST_LINE = 1 << 20  # judgement: 4000 steps of long C++ names
_LINE = re.compile(r"(.*\S)\s+(-?[0-9.]+)\s*")
_WHOLE = re.compile(r"(\d+)\.0*")
_TWO = re.compile(r".*\S\s+\d+\s+\d+\s*")
_DOMAIN = re.compile(r"\{(.+)\}")
_OWN_FRAME = re.compile(r".+`.+|\[.+\](_\[[kh]\])?")


def read(data: bytes, path: str, *, domain: str, event: str, period: int) -> Recording:
    """Return the samples. `domain` is the domain of steps that have no mark of one.

    Raises: InputError.
    """
    stacks: dict[str, int] = {}
    total, line_count, pairs = 0, 0, 0
    for number, line in lines(data, path, _LONGEST_LINE):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(path, f"line {number}: not a stack and a number: {shown(line)}")
        line_count += 1
        pairs += _TWO.fullmatch(line) is not None
        stack = match[1].strip().rstrip(";")
        if not stack:
            raise InputError(path, f"line {number}: no function in {shown(line)}")
        count = _count(match[2], path, number)
        total += count
        if total > LARGEST_TOTAL:
            raise InputError(path, f"line {number}: more than {LARGEST_TOTAL} samples in all")
        stacks[stack] = stacks.get(stack, 0) + count
    if line_count and pairs == line_count:
        raise InputError(path, "two numbers a line: a comparison, not a profile")
    if not total:
        raise InputError(path, "no samples")
    rows = _rows(stacks, domain)
    (name,) = event_names([event])
    return Recording(
        (SampleType(name, period),), (event,), rows.steps, rows.stacks, rows.tasks, rows.values(1)
    )


def _count(text: str, path: str, number: int) -> int:
    if text.startswith("-"):
        raise InputError(path, f"line {number}: {text[:20]} is a negative number of samples")
    if match := _WHOLE.fullmatch(text):
        text = match[1]
    if "." in text:
        raise InputError(
            path,
            f"line {number}: {text[:20]} is not a whole number of samples: multiply all counts, "
            "as in awk '{$NF *= 1000} 1'",
        )
    if len(text) > len(str(LARGEST_TOTAL)) or int(text) > LARGEST_TOTAL:
        raise InputError(path, f"line {number}: more than {LARGEST_TOTAL} samples")
    return int(text)


def _rows(stacks: Mapping[str, int], domain: str) -> Rows:
    """Return the samples by stack."""
    rows = Rows()
    is_own = all(_is_own(stack.split(";")) for stack in stacks)
    known: dict[tuple[str, str], int] = {}
    for text, count in stacks.items():
        words = text.split(";")
        steps = _owned(words, domain) if is_own else ((domain, word) for word in words)
        stack = []
        for owner, word in steps:
            if (owner, word) not in known:
                known[owner, word] = rows.number(split_step(word, owner, is_own=is_own))
            stack.append(known[owner, word])
        rows.add(tuple(stack), Task(), 0, count)
    return rows


def _is_own(words: list[str]) -> bool:
    """Return whether a stack is one that xenprof wrote."""
    if not _DOMAIN.fullmatch(words[0]) or _DOMAIN.fullmatch(words[-1]):
        return False
    return all(_DOMAIN.fullmatch(word) or _OWN_FRAME.fullmatch(word) for word in words)


def _owned(words: list[str], domain: str) -> Iterator[tuple[str, str]]:
    """Yield the steps that are no mark, with their domains."""
    for word in words:
        if match := _DOMAIN.fullmatch(word):
            domain = clean(match[1])
        else:
            yield domain, word
