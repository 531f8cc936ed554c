"""Reads sample files of other machines, field by field as their `abi` file says.

Source: oprofile opimport.cpp.
"""

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


def decode(data: bytes, path: str, abi: Abi) -> tuple[SampleHeader, Words, Words]:
    """Return header, offsets and counts of a sample file; `path` is for messages.

    The processor's speed is left out, as in the original: doubles may differ between machines.

    Raises: AbiError, CorruptSampleFile, VersionMismatch.
    """
    reader = _Reader(data, path, abi)
    magic_at = abi.need("offsetof_header_magic")
    if data[magic_at : magic_at + 4] != _MAGIC:
        raise CorruptSampleFile(path, f"Invalid sample file, bad magic number: {path}")
    abi.need("little_endian")
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
        mtime=reader.field("mtime", abi.integer(time_size)),
        anon_start=reader.later_field("anon_start", _U64_BYTES),
        callee_is_kernel=reader.later_field("cg_to_is_kernel", abi.integer("sizeof_u32")) != 0,
        callee_anon_start=reader.later_field("cg_to_anon_start", _U64_BYTES),
    )
    return header, *reader.nodes()


@dataclass(frozen=True, slots=True)
class _Reader:
    data: bytes
    path: str
    abi: Abi

    def field(self, name: str, size: int | None = None) -> int:
        """Return a field of the header, a u32 unless `size` is given."""
        place = f"offsetof_header_{name}"
        at, size = self.abi.need(place), size or self.abi.integer("sizeof_u32")
        if at + size > self.abi.need("sizeof_struct_opd_header"):
            raise AbiError(f"{self.abi.name}: {place} {at} is behind the header's end")
        return self.number(at, size)

    def later_field(self, name: str, size: int) -> int:
        """Return a field that the oldest versions lack; 0 for them."""
        return self.field(name, size) if f"offsetof_header_{name}" in self.abi.values else 0

    def number(self, at: int, size: int) -> int:
        """Return an integer of the file."""
        raw = self.data[at : at + size]
        if len(raw) < size:
            raise CorruptSampleFile(self.path, f"Can't read sample file header:{self.path}")
        return int.from_bytes(raw, "little" if self.abi.order == "<" else "big")

    def nodes(self) -> tuple[Words, Words]:
        """Return offsets and counts of the slots that are in use."""
        abi = self.abi
        header, descriptor = abi.need("sizeof_struct_opd_header"), abi.need("sizeof_odb_descr_t")
        at = header + abi.need("offsetof_descr_current_size")
        used = self.number(at, abi.integer("sizeof_odb_node_nr_t")) - 1
        step = abi.need("sizeof_odb_node_t")
        kinds = {}
        for name in ("key", "value"):
            place, size = abi.need(f"offsetof_node_{name}"), abi.integer(f"sizeof_odb_{name}_t")
            if place + size > step:
                raise AbiError(f"{abi.name}: a node's {name} is behind its end")
            kinds[name] = (f"{abi.order}u{size}", place)
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
        return rows["key"].astype(np.uint64), rows["value"].astype(np.uint64)
