"""The overheads that the machine adds to the execution of vcpus, as parts of code paths."""

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import Parts, Q, Unit


class Overheads:
    """One set of parts for each occasion on which `cpu.execution` adds some.

    `*_calls`: the hypercalls in it, in HYPERCALL_SHARES.
    """

    def __init__(self, code: CodeBook, *, is_hvm: bool = False) -> None:
        """`is_hvm`: those of vcpus of HVM guests."""
        units = code.hvm_units if is_hvm else code.units
        # Without Xen no vcpu ever leaves its pcpu.
        self.context_switch = [] if code.is_native else _once(units["context_switch"])
        self.cold_cache = [] if code.is_native else _once(units["cold_cache"])
        self.timer_tick = _once(units["timer_tick"])
        self.guest_idle = _once(units["guest_idle"])
        self.guest_idle_calls = units["guest_idle"].hypercalls
        self.guest_switch = _once(units["guest_switch"])
        self.guest_switch_calls = units["guest_switch"].hypercalls
        self.trace_record = _once(units["trace_record"])
        self.sample = _once(units["oprofile_sample"])
        self.backtrace_frame = _once(units["oprofile_backtrace_frame"])


def _once(unit: Unit) -> Parts:
    return [(unit.path, unit.cycles << Q)]
