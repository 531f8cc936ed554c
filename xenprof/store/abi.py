"""How the machine that wrote a session lays out its sample files: the `abi` file beside them.

Lines `name value`. oprofile's own readers look at it only in opimport; we read foreign sessions
as they are. Source: oprofile libop/op_abi.c, libabi.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xenprof.errors import StoreError

_LARGEST = 4096
_FIXED = {
    "offsetof_header_magic": 0,
    "offsetof_header_version": 4,
    "offsetof_header_cpu_type": 8,
    "offsetof_header_ctr_event": 12,
    "offsetof_header_ctr_um": 16,
    "offsetof_header_ctr_count": 20,
    "offsetof_header_is_kernel": 24,
}


@dataclass(frozen=True, slots=True)
class Abi:
    """The numbers of an `abi` file by name, as far as it gives them."""

    values: Mapping[str, int]

    @property
    def order(self) -> str:
        """Return the byte order, "<" or ">"."""
        return "<" if self.values.get("little_endian", 1) else ">"

    def header_format(self, version: int) -> tuple[str, int, int, int] | None:
        """Return the header's layout in a file of `version`, None if the file does not say.

        That is: the format behind is_kernel up to cg_to_is_kernel, where the two starts of
        anonymous memory lie, and the size.
        """
        get = self.values.get
        if any(get(name, offset) != offset for name, offset in _FIXED.items()):
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

    @property
    def has_usual_nodes(self) -> bool:
        """Return whether nodes and descriptor are laid out as everywhere."""
        usual = {
            "sizeof_odb_descr_t": 32, "sizeof_odb_node_t": 16, "offsetof_node_key": 0,
            "offsetof_node_value": 8, "offsetof_node_next": 12, "offsetof_descr_size": 0,
            "offsetof_descr_current_size": 4,
        }  # fmt: skip
        return all(self.values.get(name, value) == value for name, value in usual.items())


def read_abi(path: Path) -> Abi | None:
    """Return the `abi` file at `path`, None if there is none or it is not one.

    Raises: StoreError for nodes that no known machine has.
    """
    try:
        with path.open(errors="replace") as file:
            text = file.read(1 << 16)
    except OSError:
        return None
    values = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        if number.isascii() and number.isdigit() and len(number) < 6 and int(number) <= _LARGEST:
            values[name] = int(number)
    if not values:
        return None
    abi = Abi(values)
    if not abi.has_usual_nodes:
        raise StoreError(str(path), f"{path}: an unknown layout of sample files")
    return abi
