"""The overheads that the machine adds to the execution of vcpus, as parts of code paths."""

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.work import Parts, parts_of


class Overheads:
    """One set of parts for each occasion on which `cpu.execution` adds some.

    `*_calls`: the hypercalls in it, in HYPERCALL_SHARES.
    """

    def __init__(self, code: CodeBook) -> None:
        self.context_switch = _once(code, "context_switch")
        self.cold_cache = _once(code, "cold_cache")
        self.timer_tick = _once(code, "timer_tick")
        self.guest_idle = _once(code, "guest_idle")
        self.guest_idle_calls = code.hypercalls[code.index["guest_idle"]]
        self.guest_switch = _once(code, "guest_switch")
        self.guest_switch_calls = code.hypercalls[code.index["guest_switch"]]
        self.trace_record = _once(code, "trace_record")
        self.sample = _once(code, "oprofile_sample")
        self.backtrace_frame = _once(code, "oprofile_backtrace_frame")


def _once(code: CodeBook, path: str) -> Parts:
    return parts_of(code.cycles, [(code.index[path], 1)])
