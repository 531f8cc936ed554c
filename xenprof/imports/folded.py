"""Reads folded stacks: `a;b;c N`, a line for each stack, the outermost caller first.

    {DOMAIN};IMAGE`SYMBOL_[k];...    as `xenprof report --format folded` writes them

Steps of other tools are functions of one program; those that end in `_[k]` are the kernel's.

Source: flamegraph.pl, stackcollapse-perf.pl.
"""

import re

from xenprof.imports.errors import InputError
from xenprof.imports.reading import lines, shown
from xenprof.imports.recording import (
    LARGEST_TOTAL,
    UNKNOWN,
    Recording,
    Rows,
    Step,
    Task,
    clean,
    event_names,
)
from xenprof.profile.stacks import Layer, SampleType

_LONGEST_LINE = 1 << 20  # judgement: 4000 steps of long C++ names
_LINE = re.compile(r"(.*\S)\s+(-?[0-9.]+)\s*")
_TWO = re.compile(r".*\S\s+\d+\s+\d+\s*")
_DOMAIN = re.compile(r"\{(.+)\}")
_IMAGE_ONLY = re.compile(r"\[(.+)\]")
_SUFFIX = re.compile(r"_\[([khji])\]$")
_LAYERS = {"k": Layer.KERNEL, "h": Layer.HYPERVISOR}
_IMAGES = {Layer.USER: "program", Layer.KERNEL: "vmlinux", Layer.HYPERVISOR: "/boot/xen-syms"}


def read(data: bytes, path: str, *, domain: str, event: str, period: int) -> Recording:
    """Return the samples. `domain` is the domain of steps that have no mark of one.

    Raises: InputError.
    """
    rows = Rows()
    known: dict[tuple[str, str], int] = {}
    total, line_count, pairs = 0, 0, 0
    for number, line in lines(data, path, _LONGEST_LINE):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(path, f"line {number}: not a stack and a number: {shown(line)}")
        line_count += 1
        pairs += _TWO.fullmatch(line) is not None
        count = _count(match[2], path, number)
        total += count
        if total > LARGEST_TOTAL:
            raise InputError(path, f"line {number}: more than {LARGEST_TOTAL} samples in all")
        stack = _stack(match[1].strip(), domain, rows, known)
        if not stack:
            raise InputError(path, f"line {number}: no function in {shown(line)}")
        rows.add(stack, Task(), 0, count)
    if line_count and pairs == line_count:
        raise InputError(path, "two numbers a line: a comparison, not a profile")
    if not total:
        raise InputError(path, "no samples")
    (name,) = event_names([event])
    return Recording(
        (SampleType(name, period),), (event,), rows.steps, rows.stacks, rows.tasks, rows.values(1)
    )


def _count(text: str, path: str, number: int) -> int:
    if text.startswith("-"):
        raise InputError(path, f"line {number}: {text[:20]} is a negative number of samples")
    if "." in text:
        raise InputError(path, f"line {number}: {text[:20]} is not a whole number of samples")
    if len(text) > len(str(LARGEST_TOTAL)) or int(text) > LARGEST_TOTAL:
        raise InputError(path, f"line {number}: more than {LARGEST_TOTAL} samples")
    return int(text)


def _stack(
    text: str, domain: str, rows: Rows, known: dict[tuple[str, str], int]
) -> tuple[int, ...]:
    stack = []
    for word in text.split(";"):
        if match := _DOMAIN.fullmatch(word):
            domain = clean(match[1])
            continue
        if (domain, word) not in known:
            known[domain, word] = rows.number(_step(word, domain))
        stack.append(known[domain, word])
    return tuple(stack)


def _step(word: str, domain: str) -> Step:
    suffix = _SUFFIX.search(word)
    layer = _LAYERS.get(suffix[1], Layer.USER) if suffix else Layer.USER
    text = clean(word[: suffix.start()] if suffix else word).strip()
    image, mark, symbol = text.partition("`")
    if mark and image and symbol:
        return Step(symbol, image, layer, domain)
    if text in ("", UNKNOWN):
        return Step("", UNKNOWN, layer, domain)
    if match := _IMAGE_ONLY.fullmatch(text):
        return Step("", match[1], layer, domain)
    return Step(text, _IMAGES[layer], layer, domain)
