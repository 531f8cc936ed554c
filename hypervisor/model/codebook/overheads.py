"""The overheads that the machine adds to the execution of vcpus, as parts of code paths."""

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import Parts, parts_of


class Overheads:
    """One set of parts for each occasion on which `cpu.execution` adds some.

    `*_calls`: the hypercalls in it, in HYPERCALL_SHARES.
    """

    def __init__(self, code: CodeBook) -> None:
        def once(path: str) -> Parts:
            return parts_of(code.cycles, [(code.index[path], 1)])

        self.context_switch = once("context_switch")
        self.cold_cache = once("cold_cache")
        self.timer_tick = once("timer_tick")
        self.guest_idle = once("guest_idle")
        self.guest_idle_calls = code.hypercalls[code.index["guest_idle"]]
        self.guest_switch = once("guest_switch")
        self.guest_switch_calls = code.hypercalls[code.index["guest_switch"]]
        self.trace_record = once("trace_record")
        self.sample = once("oprofile_sample")
        self.backtrace_frame = once("oprofile_backtrace_frame")
