"""The overheads that the machine adds to the execution of vcpus, as parts of code paths."""

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import Parts, parts_of


class Overheads:
    """One set of parts for each occasion on which `cpu.execution` adds some.

    `*_calls`: the hypercalls in it, in HYPERCALL_SHARES.
    """

    def __init__(self, code: CodeBook, *, is_hvm: bool = False) -> None:
        """`is_hvm`: those of vcpus of HVM guests."""
        units = code.hvm_unit_parts if is_hvm else code.unit_parts

        def once(path: str) -> Parts:
            return parts_of(code.cycles, [(units[path][0], 1)])

        self.context_switch = once("context_switch")
        self.cold_cache = once("cold_cache")
        self.timer_tick = once("timer_tick")
        self.guest_idle = once("guest_idle")
        self.guest_idle_calls = units["guest_idle"][2]
        self.guest_switch = once("guest_switch")
        self.guest_switch_calls = units["guest_switch"][2]
        self.trace_record = once("trace_record")
        self.sample = once("oprofile_sample")
        self.backtrace_frame = once("oprofile_backtrace_frame")
