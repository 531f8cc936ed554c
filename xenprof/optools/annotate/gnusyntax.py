"""Rewrites Capstone's AT&T syntax for x86 in the spelling of GNU objdump 2.40.

No blank after a comma, hexadecimal numbers, no operand size that a register already shows,
displacements of zero where the code has one, targets with their symbol.
"""

import re
from collections.abc import Callable

# Mnemonics that objdump writes without a size where a register shows it.
_SIZED = frozenset({
    "mov", "add", "sub", "and", "or", "xor", "cmp", "test", "lea", "push", "pop", "inc", "dec",
    "neg", "not", "adc", "sbb", "imul", "mul", "div", "idiv", "xchg", "shl", "shr", "sar", "sal",
    "rol", "ror", "bt", "bts", "btr", "btc", "bsf", "bsr", "bswap", "xadd", "cmpxchg", "shld",
    "shrd", "tzcnt", "lzcnt", "popcnt", "movabs", "movnti", "call", "ret", "jmp", "leave",
})  # fmt: skip
_NEVER_SIZED = frozenset({"call", "ret", "jmp", "leave", "push", "pop", "movabs"})
_REGISTER_STRINGS = frozenset({"stos", "scas", "lods"})
_SHIFTS = frozenset({"shl", "shr", "sar", "sal", "rol", "ror"})
_BITS = {"b": 8, "w": 16, "l": 32, "q": 64}
_DIGIT_BEFORE_BRACKET = re.compile(r"(?<![\w%])(-?)(\d)(?=\(|$|,)")
_IMMEDIATE = re.compile(r"\$(-?)(0x[0-9a-f]+|\d+)")
_UNSCALED = re.compile(r"\((%\w+)?,(%\w+)\)")
_NEEDS_ZERO = re.compile(r"(^|[,:*])\((?=,|%[re]?bp[,)]|%r13d?[,)])")
_IP_RELATIVE = re.compile(r"(-?0x[0-9a-f]+)\(%[re]ip\)")
_TARGET = re.compile(r"0x([0-9a-f]+)")
_BRACKETS = re.compile(r"\([^)]*\)")
_GENERAL_REGISTER = re.compile(r"(?:^|,)%(?![xyz]?mm|st|k[0-7])\w+(?=$|,)")
_STRING_WORD = re.compile(r"(movs|cmps|stos|scas|lods)([bwlq])")
_X87_POP = re.compile(r"f(add|mul|subr?|divr?)p")
_CONVERSION = re.compile(r"v?cvtu?si2s[sd][lq]")
_BRANCH = re.compile(r"(j\w+|call[lq]?|loop\w*|xbegin)")
_INTEL_UNSCALED = re.compile(r"(\[\w+\+[a-z]\w+)(?=[]+-])")
_INTEL_NEEDS_ZERO = re.compile(r"(\[(?:(?:[re]bp|r13d?)(?:\+\w+\*\d)?|\w+\*\d))\]")
_INTEL_IP_RELATIVE = re.compile(r"\[rip([+-]0x[0-9a-f]+)\]")
_INTEL_NEGATIVE = re.compile(r",-0x([0-9a-f]+)$")
_ALL_BITS = 0xFFFFFFFFFFFFFFFF
_INTEL_SIZE = re.compile(r"[a-z]+ ptr ")
_INTEL_DIGIT = re.compile(r"(?<![\w*])(\d)(?!\w)")
_INTEL_GAPS = re.compile(r" ?([,+*-]) ")
_SHIFTS_BY_ONE = (b"\xd0", b"\xd1")
_PREFIXES = frozenset({0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3})
_BEFORE_OPCODE = bytes([*_PREFIXES, *range(0x40, 0x50)])


def gnu_text(
    mnemonic: str, operands: str, raw: bytes, after: int, names: Callable[[int], str]
) -> str:
    """Return an instruction of bytes `raw` as objdump writes it; `after` is the next one's address.

    `names` returns the symbol at an address as `<name+0x8>`, or nothing.
    """
    *prefixes, word = mnemonic.strip().split() or [""]
    operands = operands.replace(", ", ",")
    target = _TARGET.fullmatch(operands)
    if target and _BRANCH.fullmatch(word):
        operands = f"{target[1]} {names(int(target[1], 16))}".rstrip()
    if word.startswith("nop"):
        return _no_operation(word, operands, raw)
    operands = _numbers(word, operands)
    if _STRING_WORD.fullmatch(word) and "mm" not in operands:
        operands = _with_segments(operands)
    if _X87_POP.fullmatch(word) and "," not in operands:
        operands = f"%st,{operands}"
    if (
        raw.lstrip(_BEFORE_OPCODE)[:1] in _SHIFTS_BY_ONE
    ):  # shifts by one have no operand for the number
        operands = operands.removeprefix("$0x1,")
    word = " ".join([*prefixes, _without_size(word, operands)])
    text = f"{word:<6} {operands}".rstrip()
    relative = _IP_RELATIVE.search(operands)
    if relative:
        address = (after + int(relative[1], 16)) & 0xFFFFFFFFFFFFFFFF
        text += f"        # {address:x} {names(address)}".rstrip()
    return text


def _numbers(word: str, operands: str) -> str:
    """Return operands with all numbers in hexadecimal, negative ones in two's complement."""
    bits = _BITS.get(word[-1:], 64)

    def immediate(match: re.Match[str]) -> str:
        number = int(match[2], 0)
        return f"${(1 << bits) - number if match[1] else number:#x}"

    operands = _IMMEDIATE.sub(immediate, operands)
    operands = _DIGIT_BEFORE_BRACKET.sub(r"\g<1>0x\2", operands)
    operands = _NEEDS_ZERO.sub(r"\g<1>0x0(", operands)
    return _UNSCALED.sub(r"(\1,\2,1)", operands)


def _with_segments(operands: str) -> str:
    """Return the operands of a string instruction with their segments."""
    for register, segment in (("di", "es"), ("si", "ds")):
        operands = re.sub(rf"(?<!:)\((%[re]?{register})\)", rf"%{segment}:(\1)", operands)
    return operands


def _without_size(word: str, operands: str) -> str:
    stem = word[:-1]
    if word.startswith("cmov"):
        return stem
    if _CONVERSION.fullmatch(word) and "(" not in operands:
        return stem
    if word[-1:] in _BITS and stem in _REGISTER_STRINGS:
        return stem
    if word[-1:] in _BITS and stem in _SIZED:
        sized = operands.removeprefix("%cl,") if stem in _SHIFTS else operands
        is_told = _GENERAL_REGISTER.search(_BRACKETS.sub("()", sized)) is not None
        has_vector = "mm" in operands
        if stem in _NEVER_SIZED or (is_told and not has_vector):
            return stem
    return word


def _no_operation(word: str, operands: str, raw: bytes) -> str:
    """Return a long form of `nop`, whose bytes tell more than Capstone's text."""
    if not operands:
        return "xchg   %ax,%ax" if raw == b"\x66\x90" else word
    extra = max(raw.count(b"\x66", 0, raw.find(b"\x0f")) - 1, 0)
    prefix = "data16 " * extra
    if operands.startswith("%cs:"):
        prefix, operands = f"{prefix}cs ", operands[4:]
    operands = _UNSCALED.sub(r"(\1,\2,1)", operands)
    mode = raw[raw.find(b"\x0f") + 2] >> 6
    zero = "0x0" if mode in (1, 2) and operands.startswith("(") else ""
    return f"{prefix}{f'{word:<6}' if not prefix else word} {zero}{operands}"


def intel_text(
    mnemonic: str, operands: str, raw: bytes, after: int, names: Callable[[int], str]
) -> str:
    """Return an x86 instruction in Intel's syntax, close to objdump -Mintel; as `gnu_text`."""
    word = mnemonic.strip()
    target = _TARGET.fullmatch(operands)
    if target and _BRANCH.fullmatch(word):
        return f"{word:<6} {target[1]} {names(int(target[1], 16))}".rstrip()
    if word == "nop":
        return _intel_no_operation(operands, raw)
    operands = _intel_operands(operands)
    if raw.lstrip(_BEFORE_OPCODE)[:1] in _SHIFTS_BY_ONE:
        operands = operands.removesuffix("0x1") + "1"
    relative = _INTEL_IP_RELATIVE.search(operands)
    if relative is None:
        return f"{word:<6} {operands}".rstrip()
    offset = int(relative[1], 16)
    address = (after + offset) & _ALL_BITS
    operands = operands.replace(relative[0], f"[rip+{offset & _ALL_BITS:#x}]")
    return f"{word:<6} {operands}        # {address:x} {names(address)}".rstrip()


def _intel_operands(operands: str) -> str:
    operands = _INTEL_SIZE.sub(lambda match: match[0].upper(), operands)
    operands = _INTEL_DIGIT.sub(r"0x\1", _INTEL_GAPS.sub(r"\1", operands))
    operands = _INTEL_UNSCALED.sub(r"\1*1", operands)
    operands = _INTEL_NEEDS_ZERO.sub(r"\1+0x0]", operands)
    bits = _ALL_BITS >> 32 if operands.startswith(("e", "DWORD")) else _ALL_BITS
    return _INTEL_NEGATIVE.sub(lambda match: f",{-int(match[1], 16) & bits:#x}", operands)


def _intel_no_operation(operands: str, raw: bytes) -> str:
    if not operands:
        return "xchg   ax,ax" if raw == b"\x66\x90" else "nop"
    prefix = "data16 " * max(raw.count(b"\x66", 0, raw.find(b"\x0f")) - 1, 0)
    if "cs:" in operands:
        prefix, operands = f"{prefix}cs ", operands.replace("cs:", "")
    operands = _intel_operands(operands)
    has_offset = raw[raw.find(b"\x0f") + 2] >> 6 in (1, 2)
    if has_offset and "0x" not in operands:
        operands = operands.replace("]", "+0x0]")
    return f"{prefix}nop {operands}" if prefix else f"nop    {operands}"


def plain_text(mnemonic: str, operands: str, names: Callable[[int], str]) -> str:
    """Return another machine's instruction as Capstone writes it, targets with their symbol."""
    target = _TARGET.fullmatch(operands.lstrip("#"))
    if target:
        operands = f"{target[1]} {names(int(target[1], 16))}".rstrip()
    return f"{mnemonic}\t{operands}".rstrip()
