"""Reads frames of `perf script`: `ADDRESS SYMBOL+0xOFFSET (DSO)`.

On the line of a header a frame has company: the other end of a branch, the address that was
accessed and where its data came from, registers, the branches before it.
Source: Linux tools/perf/builtin-script.c, util/evsel_fprintf.c, util/mem-events.c.
"""

import re
from typing import NamedTuple

from xenprof.imports.recording import UNKNOWN, clean

INLINED = "inlined"
"""The dso of a frame that was inlined into the next one."""

_FRAME = re.compile(r"\s*([0-9a-f]{1,16})(?:\s+(\S.*))?")
_OFFSET = re.compile(r"\+0x([0-9a-f]{1,16})$")
_DSO_OFFSET = re.compile(r"(.*\S)\+0x[0-9a-f]{1,16}")
_SOURCE_LINE = re.compile(r"\s+(\S.*?)(?::(\d{1,9})(?: \(discriminator \d+\))?)?( \(inlined\))?")
_NO_LINE = re.compile(r"\?\?.*|\S.*(\+0x[0-9a-f]+|\[[0-9a-f]+\])")
_PATH = re.compile(r".+\.\w{1,8}|/.*|<.*>")

# On the line of a header. All are searched in time linear in the line's length.
_BESIDE = re.compile(
    r"(?<!\s)\s++(?:ABI:\d|(?:ilen: \d+ )?insn:|IPC:|metric:|\S+?/[PMNV-]/[XVN-]/[AVN-]/)"
)
_TARGET = re.compile(r"\s=>(?=\s+[0-9a-f]|\s*$)")
_DATA_SOURCE = re.compile(r"\|(?:OP|LVL|SNP|TLB|LCK|BLK) ")
_VALUE = r"(?:[0-9a-f]{1,16}|\d{1,9}[KMG]|N/A)"
_VALUES = re.compile(rf"(?:{_VALUE}\s+)*")
_CODE = re.compile(rf"(?<!\S)[0-9a-f]{{1,16}}\s+(?!\(|{_VALUE}\s+(?!\(|\s))\S")
_NEXT_CODE = re.compile(r"\)\s+(?=[0-9a-f]{6,16}\s+(?!\(|\s)\S)")
_FLAGS = re.compile(
    r"(?:(?:tr|strt|start|end|call|return|jmp|jcc\S*|hw|int|iret|syscall|sysret|async|tx|abrt|"
    r"begin|vmentry|vmexit|br|miss|\([A-Za-z, ]+\))\s+)+"
)
_LONE = re.compile(r"[0-9a-f]{4,16}\s+(?:\[unknown\]|[^\s(=:]+)")


class Frame(NamedTuple):
    """A frame as the text has it; `symbol` is "" and `dso` [unknown] where it does not tell."""

    symbol: str
    dso: str
    address: int
    offset: int = -1
    file: str = ""
    line: int = 0


def parse_frame(text: str) -> Frame | None:
    """Return the frame that a line of a call chain is, or None."""
    match = _FRAME.fullmatch(text.rstrip())
    if match is None:
        return None
    symbol, dso = _split_image(match[2] or "") or (match[2] or "", UNKNOWN)
    offset = -1
    if found := _OFFSET.search(symbol):
        symbol, offset = symbol[: found.start()], int(found[1], 16)
    if found := _DSO_OFFSET.fullmatch(dso):
        dso = found[1]
    symbol = clean(symbol)
    return Frame("" if symbol == UNKNOWN else symbol, dso, int(match[1], 16), offset)


def parse_rest(text: str) -> Frame | None:
    """Return the frame in what is behind the event of a header, or None.

    Of a branch it is the one that it came from.
    """
    text = text.strip()
    if not text.endswith(")") and (found := _BESIDE.search(f" {text}")):
        text = text[: max(found.start() - 1, 0)]
    target = _TARGET.search(text)
    if target:
        text = text[: target.start()]
    elif found := _FLAGS.match(text):
        text = text[found.end() :]
    source = _last_end(_DATA_SOURCE, text)
    text = text[source:]
    text = text[_last_end(_NEXT_CODE, text) :]  # behind the address that was accessed
    code = _CODE.search(text)
    if code and (target or source or _VALUES.fullmatch(text, 0, code.start())):
        text = text[code.start() :]
    return parse_frame(text) if text.endswith(")") or _LONE.fullmatch(text) else None


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    """Return where the last match ends; 0 if there is none."""
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end


def with_source(frame: Frame, line: str) -> Frame | None:
    """Return a frame with the source line that is below it; None if the line is none."""
    match = _SOURCE_LINE.fullmatch(line.rstrip())
    if match is None:
        return None
    file, number, inlined = match.groups()
    if inlined:
        frame = frame._replace(dso=INLINED)
    if _NO_LINE.fullmatch(file):
        return frame
    if not number or not _PATH.fullmatch(file):
        return None
    return frame._replace(file=clean(file), line=int(number))


def is_beside(line: str) -> bool:
    """Return whether a line below a header has registers, branches, code or source."""
    return _BESIDE.match(f" {line.strip()}") is not None or line.startswith("|")


def _split_image(text: str) -> tuple[str, str] | None:
    """Return symbol and dso of `SYMBOL (DSO)`; both may hold brackets. None if there is no dso."""
    if not text.endswith(")"):
        return None
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        if text[at] == ")":
            depth += 1
        elif text[at] == "(":
            depth -= 1
            if not depth:
                before = text[:at]
                if before and not before[-1].isspace():
                    break
                return before.strip(), text[at + 1 : -1]
    symbol, mark, dso = text.partition(" (/")  # a path whose brackets do not match
    return (symbol.strip(), f"/{dso[:-1]}") if mark else None
