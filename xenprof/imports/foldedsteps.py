"""Splits a step of a folded stack into image, symbol and layer."""

import re

from xenprof.imports.recording import UNKNOWN, Step, clean
from xenprof.profile.stacks import Layer

_IMAGE_ONLY = re.compile(r"\[(.+)\]")
_MEMORY = (
    "[anon]", "[heap]", "[stack]", "[vdso]", "[vsyscall]", "[vvar]", "[uprobes]", "[JIT]",
)  # fmt: skip
_SUFFIX = re.compile(r"_\[([khjiw01])\]$")  # async-profiler: 0 interpreted, 1 compiled by C1
_LAYERS = {"k": Layer.KERNEL, "h": Layer.HYPERVISOR}
_IMAGES = {Layer.USER: "program", Layer.KERNEL: "vmlinux", Layer.HYPERVISOR: "/boot/xen-syms"}
_MARK = re.compile(
    r"""(?<!::)`            # of Visual C++: A::`vftable'
        (?!`?\d{1,3}        # of .NET: List`1, ``2 of a generic method
           (?:$|[^\w]))""",
    re.VERBOSE,
)
_THREAD = re.compile(r".* tid=\d+")


def split_step(word: str, domain: str, *, is_own: bool) -> Step:
    """Return a step. `is_own`: xenprof wrote it, so the first backtick ends the image.

    In other files a backtick may belong to a name: `List`1.Add` is a function.
    """
    suffix = _SUFFIX.search(word)
    layer = _LAYERS.get(suffix[1], Layer.USER) if suffix else Layer.USER
    text = clean(word[: suffix.start()] if suffix else word).strip()
    found = re.search("`", text) if is_own else _MARK.search(text)
    if found and text[: found.start()] and text[found.end() :]:
        return Step(text[found.end() :], text[: found.start()], layer, domain)
    if text in ("", UNKNOWN):
        return Step("", UNKNOWN, layer, domain)
    if text in _MEMORY:
        return Step("", text, layer, domain)
    if (match := _IMAGE_ONLY.fullmatch(text)) and not _THREAD.fullmatch(match[1]):
        return Step("", match[1], layer, domain)
    return Step(text, _IMAGES[layer], layer, domain)
