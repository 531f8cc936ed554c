"""Reads sample files of other machines, field by field as their `abi` file says.

Source: oprofile opimport.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xenprof import events
from xenprof.errors import CorruptSampleFile, VersionMismatch
from xenprof.profile.flat import SampleHeader
from xenprof.store.abi import Abi, AbiError
from xenprof.store.samplefile import VERSIONS, VERSIONS_TEXT

Words = npt.NDArray[np.uint64]

_MAGIC = b"DAE\n"
_U64_BYTES = 8  # the size of vma_t in all versions


def decode(
    data: bytes, path: str, abi: Abi, say: Callable[[str], None] | None = None
) -> tuple[SampleHeader, Words, Words]:
    """Return header, offsets and counts of a sample file; `path` is for messages.

    The processor's speed is left out, as in the original: doubles may differ between machines.
    `say`, if given, gets a line on each number that is read.

    Raises: AbiError, CorruptSampleFile, VersionMismatch.
    """
    reader = _Reader(data, path, abi, say)
    magic_at = abi.need("offsetof_header_magic")
    if data[magic_at : magic_at + 4] != _MAGIC:
        raise CorruptSampleFile(path, f"Invalid sample file, bad magic number: {path}")
    is_little = abi.need("little_endian") == 1
    if say:
        say(f"source byte order is: {'little' if is_little else 'big'} endian")
    version = reader.field("version")
    if version not in VERSIONS:
        raise VersionMismatch(path, f"{path} has version {version:#x}, not {VERSIONS_TEXT}")
    number = reader.field("cpu_type")
    cpu = events.cpu_type_by_number(number, version)
    if cpu is None:
        raise CorruptSampleFile(path, f"{path}: invalid cpu type {number}")
    time_size = "sizeof_time_t" if "sizeof_time_t" in abi.values else "sizeof_u64"
    header = SampleHeader(
        cpu_type=cpu.name,
        event_number=reader.field("ctr_event"),
        unit_mask=reader.field("ctr_um"),
        count=reader.field("ctr_count"),
        is_kernel=reader.field("is_kernel") != 0,
        cpu_mhz=0.0,
        mtime=reader.field("mtime", time_size),
        callee_is_kernel=reader.later_field("cg_to_is_kernel") != 0,
        anon_start=reader.later_field("anon_start", _U64_BYTES),
        callee_anon_start=reader.later_field("cg_to_anon_start", _U64_BYTES),
    )
    return header, *reader.nodes()


@dataclass(frozen=True, slots=True)
class _Reader:
    data: bytes
    path: str
    abi: Abi
    say: Callable[[str], None] | None

    def field(self, name: str, kind: str = "sizeof_u32", size: int | None = None) -> int:
        """Return a field of the header; `size` is that of `kind` unless it is given."""
        place = f"offsetof_header_{name}"
        at, shown_size = self.abi.need(place), self.abi.integer(kind)
        size = size or shown_size
        if at + size > self.abi.need("sizeof_struct_opd_header"):
            raise AbiError(f"{self.abi.name}: {place} {at} is behind the header's end")
        return self.number(at, kind, place, size)

    def later_field(self, name: str, size: int | None = None) -> int:
        """Return a field that the oldest versions lack; 0 for them."""
        has_field = f"offsetof_header_{name}" in self.abi.values
        return self.field(name, size=size) if has_field else 0

    def number(self, at: int, kind: str, place: str, size: int) -> int:
        """Return an integer of the file."""
        raw = self.data[at : at + size]
        if len(raw) < size:
            raise CorruptSampleFile(self.path, f"Can't read sample file header:{self.path}")
        value = int.from_bytes(raw, "little" if self.abi.order == "<" else "big")
        self._tell(kind, place, at, value)
        return value

    def _tell(self, kind: str, place: str, at: int, value: int) -> None:
        if self.say:
            size = self.abi.integer(kind)
            self.say(f"get {kind} = {size:x} bytes @ {place} = {at:x} :  = {value}")

    def nodes(self) -> tuple[Words, Words]:
        """Return offsets and counts of the slots that are in use."""
        abi = self.abi
        header, descriptor = abi.need("sizeof_struct_opd_header"), abi.need("sizeof_odb_descr_t")
        place, kind = "offsetof_descr_current_size", "sizeof_odb_node_nr_t"
        used = self.number(header + abi.need(place), kind, place, abi.integer(kind)) - 1
        step = abi.need("sizeof_odb_node_t")
        kinds = {}
        for name in ("key", "value"):
            at, size = abi.need(f"offsetof_node_{name}"), abi.integer(f"sizeof_odb_{name}_t")
            if at + size > step:
                raise AbiError(f"{abi.name}: a node's {name} is behind its end")
            kinds[name] = (f"{abi.order}u{size}", at)
        start = header + descriptor + step  # slot 0 is never used
        if used < 0 or start + used * step > len(self.data):
            raise CorruptSampleFile(
                self.path, f"{self.path} is too short for the {used + 1} slots it says"
            )
        dtype = np.dtype(
            {
                "names": list(kinds),
                "formats": [form for form, _ in kinds.values()],
                "offsets": [place for _, place in kinds.values()],
                "itemsize": step,
            }
        )
        rows = np.frombuffer(self.data, dtype, used, start)
        if self.say:
            self.say(f"extracting {used + 1} nodes of {step} bytes each ")
            for row, values in enumerate(rows.tolist()):
                for (name, (_, at)), value in zip(kinds.items(), values, strict=True):
                    at += start + row * step
                    self._tell(f"sizeof_odb_{name}_t", f"offsetof_node_{name}", at, value)
        return rows["key"].astype(np.uint64), rows["value"].astype(np.uint64)
