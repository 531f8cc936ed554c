"""Reads `abi` files, which describe how a machine lays out the sample files beside them.

A line `name value` for the size of each type and the offset of each field. It is read in two
ways. `read_abi` is for sessions: it is lenient, for oprofile's own reports never look at
the file, and the known layouts are tried without one too. `parse_abi` is for opimport,
which has no other source: what makes no sense is an error, and so is every value that is
needed and missing.

Source: oprofile libop/op_abi.c, libabi/abi.cpp.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xenprof.errors import StoreError, XenprofError

NATIVE: Mapping[str, int] = {
    "sizeof_double": 8, "sizeof_u64": 8, "sizeof_u8": 1, "sizeof_u32": 4, "sizeof_int": 4,
    "sizeof_unsigned_int": 4, "sizeof_odb_key_t": 8, "sizeof_odb_index_t": 4,
    "sizeof_odb_value_t": 4, "sizeof_odb_node_nr_t": 4, "sizeof_odb_descr_t": 32,
    "sizeof_odb_node_t": 16, "sizeof_struct_opd_header": 72, "offsetof_node_key": 0,
    "offsetof_node_value": 8, "offsetof_node_next": 12, "offsetof_descr_size": 0,
    "offsetof_descr_current_size": 4, "offsetof_header_magic": 0, "offsetof_header_version": 4,
    "offsetof_header_cpu_type": 8, "offsetof_header_ctr_event": 12, "offsetof_header_ctr_um": 16,
    "offsetof_header_ctr_count": 20, "offsetof_header_is_kernel": 24,
    "offsetof_header_cpu_speed": 32, "offsetof_header_mtime": 40,
    "offsetof_header_cg_to_is_kernel": 48, "offsetof_header_anon_start": 56,
    "offsetof_header_cg_to_anon_start": 64, "little_endian": 1,
}  # fmt: skip
"""The layout of xenprof's own files."""

_VALUE_MAX = 4096
"""judgement: no header or node is larger; larger values can only be an attack."""
_EVERYWHERE = (
    "sizeof_odb_descr_t", "sizeof_odb_node_t", "offsetof_node_key", "offsetof_node_value",
    "offsetof_node_next", "offsetof_descr_size", "offsetof_descr_current_size",
)  # fmt: skip
_FIRST_FIELDS = tuple(
    f"offsetof_header_{name}"
    for name in ("magic", "version", "cpu_type", "ctr_event", "ctr_um", "ctr_count", "is_kernel")
)
_INTEGER_BYTES = (1, 2, 4, 8)
_LINE = re.compile(r"\s*(\w{1,64})\s+(-?\d{1,9})\b")


class AbiError(XenprofError):
    """A description of layout that is missing or makes no sense; the message names its file."""


@dataclass(frozen=True, slots=True)
class Abi:
    """The numbers of an `abi` file by name, as far as it gives them; `name` is for messages."""

    values: Mapping[str, int]
    name: str = "abi"

    @property
    def order(self) -> str:
        """Return the byte order, "<" or ">"; without one in the file, that of this machine."""
        return "<" if self.values.get("little_endian", 1) == 1 else ">"

    @property
    def is_native(self) -> bool:
        """Return whether files of this layout need no conversion."""
        return all(self.values.get(name) == value for name, value in NATIVE.items())

    @property
    def has_usual_nodes(self) -> bool:
        """Return whether nodes and descriptor have the usual layout."""
        return self._agrees(_EVERYWHERE)

    def need(self, name: str) -> int:
        """Return a value. Raises: AbiError if it is missing."""
        if name not in self.values:
            raise AbiError(f"{self.name}: missing ABI key: {name}")
        return self.values[name]

    def integer(self, name: str) -> int:
        """Return the size of an integer type. Raises: AbiError."""
        size = self.need(name)
        if size not in _INTEGER_BYTES:
            raise AbiError(f"{self.name}: {name} cannot be {size}")
        return size

    def header_format(self, version: int) -> tuple[str, int, int, int] | None:
        """Return the header's layout in a file of `version`; None if the file does not give it.

        It is: the format after is_kernel up to cg_to_is_kernel, the offsets of the two starts of
        anonymous memory, and the size.
        """
        get = self.values.get
        if not self._agrees(_FIRST_FIELDS):
            return None
        names = ("cpu_speed", "mtime", "cg_to_is_kernel", "anon_start", "cg_to_anon_start")
        places = [get(f"offsetof_header_{name}", -1) for name in names]
        speed, mtime, callee, anon, callee_anon = places
        size = get("sizeof_struct_opd_header", 0)
        time = get("sizeof_time_t", 8) if version < 0x12 else 8
        gaps = (speed - 28, mtime - speed - 8, callee - mtime - time)
        if time not in (4, 8) or min(gaps) < 0 or callee_anon < anon or anon < callee:
            return None
        if size < callee_anon + 8:
            return None
        word = "Q" if time == 8 else "I"
        return f"{gaps[0]}xd{gaps[1]}x{word}{gaps[2]}xI", anon, callee_anon, size

    def _agrees(self, names: tuple[str, ...]) -> bool:
        """Return whether these values are those of this machine, or not given."""
        return all(self.values.get(name, NATIVE[name]) == NATIVE[name] for name in names)


def native_text() -> str:
    """Return the `abi` file of our own sessions."""
    return "".join(f"{name} {value}\n" for name, value in NATIVE.items())


def read_abi(path: Path) -> Abi | None:
    """Return the `abi` file at `path`; None if there is none or it is not one.

    Lines that are not `name value` are skipped. Raises: StoreError for nodes that no known
    machine has.
    """
    try:
        with path.open(errors="replace") as file:
            text = file.read(1 << 16)
    except OSError:
        return None
    values = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        if number.isascii() and number.isdigit() and len(number) < 6 and int(number) <= _VALUE_MAX:
            values[name] = int(number)
    if not values:
        return None
    abi = Abi(values, str(path))
    if not abi.has_usual_nodes:
        raise StoreError(str(path), f"{path}: an unknown layout of sample files")
    return abi


def parse_abi(text: str, name: str) -> Abi:
    """Return the description in `text`; what follows the last good line is not read.

    Raises: AbiError.
    """
    values: dict[str, int] = {}
    at = 0
    while match := _LINE.match(text, at):
        at = match.end()
        value = int(match[2])
        if not 0 <= value <= _VALUE_MAX:
            raise AbiError(f"{name}: {match[1]} cannot be {value}")
        values[match[1]] = value
    if not values:
        raise AbiError(f"{name} is no abi file: lines `name value` are expected")
    return Abi(values, name)
