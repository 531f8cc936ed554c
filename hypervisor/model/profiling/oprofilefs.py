"""The files below /dev/oprofile that hold settings: written and read as text, kept as values.

Source: Linux 2.6.18 drivers/oprofile/oprofile_files.c, arch/i386/oprofile/nmi_int.c.
"""

from dataclasses import dataclass, fields, replace

from hypervisor.errors import EINVAL, OprofilefsError
from hypervisor.model.profiling.control_text import c_number

BUFFER_SIZE, WATERSHED, CPU_BUFFER_SIZE = 131072, 32768, 8192  # entries, 2.6.18-xen defaults
COUNTERS = {"i386/p4": 8, "i386/p4-ht": 4, "i386/core_2": 2, "x86-64/hammer": 4}  # none for others
_NUMBERS = ("buffer_size", "buffer_watershed", "cpu_buffer_size")
_LISTS = ("active_domains", "passive_domains")
_FIXED = ("cpu_type", "cpu_mhz", "domid", "pointer_size")
_DEPTH = "backtrace_depth"


@dataclass(frozen=True, slots=True)
class CounterFiles:
    """The files of one counter, by their names."""

    enabled: int = 0
    event: int = 0
    count: int = 0
    unit_mask: int = 0
    kernel: int = 1
    user: int = 1


_LEAVES = tuple(field.name for field in fields(CounterFiles))


class OprofileFiles:
    """The settings of one domain's driver. Each attribute has the value of the file of its name."""

    def __init__(self, cpu_type: str, mhz: int, domid: int) -> None:
        self.cpu_type = cpu_type
        self.cpu_mhz = mhz
        self.domid = domid
        self.pointer_size = 8
        self.buffer_size = BUFFER_SIZE
        self.buffer_watershed = WATERSHED
        self.cpu_buffer_size = CPU_BUFFER_SIZE
        self.backtrace_depth = 0
        self.active_domains = ""
        self.passive_domains = ""
        self.is_enabled = False
        self.counters: dict[int, CounterFiles] = {}
        self.event_names: dict[int, str] = {}  # by counter; a label for metrics
        # The depth is our extension: Xen 3.0.3 records no call stacks.
        self._numbers = (*_NUMBERS, _DEPTH) if cpu_type in COUNTERS else _NUMBERS

    def read(self, name: str) -> str:
        """Return the text of a file. Raises: OprofilefsError EINVAL if the file does not exist."""
        if name == "enable":
            return str(int(self.is_enabled))
        if name in self._numbers or name in _LISTS or name in _FIXED:
            return str(getattr(self, name))
        index, leaf = self._counter_file(name)
        if leaf in _LEAVES:
            return str(getattr(self.counters.get(index, CounterFiles()), leaf))
        raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: no such file")

    def write(self, name: str, value: str) -> None:
        """Set a number or the name of an event. Raises: OprofilefsError EINVAL."""
        if name in self._numbers:
            setattr(self, name, _number(name, value))
            return
        index, leaf = self._counter_file(name)
        if leaf == "name":
            self.event_names[index] = value
        elif leaf in _LEAVES:
            before = self.counters.setdefault(index, CounterFiles())
            self.counters[index] = replace(before, **{leaf: _number(name, value)})
        else:
            raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: cannot be written")

    def _counter_file(self, name: str) -> tuple[int, str]:
        """Return (counter, file) of `N/file`; the file is empty if there is no such counter."""
        index, _, leaf = name.partition("/")
        counters = COUNTERS.get(self.cpu_type, 0)
        is_counter = index in map(str, range(counters))
        return (int(index), leaf) if is_counter else (-1, "")


def _number(name: str, value: str) -> int:
    number = c_number(value.strip())
    if number is None:
        raise OprofilefsError(EINVAL, f"/dev/oprofile/{name}: {value!r} is not a number")
    return number
