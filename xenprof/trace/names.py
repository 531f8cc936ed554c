"""Names trace events and their data words, and parses the masks of `-e`.

Source: tools/xentrace/formats (3.0.3) and xen/include/public/trace.h (4.17).
"""

from collections.abc import Mapping

from hypervisor.trace_events import CLASSES
from xenprof.errors import UsageError

_VCPU = ("domid", "edomid")  # the original's word for a vcpu

XEN_30: Mapping[int, tuple[str, tuple[str, ...]]] = {
    0x1F001: ("lost_records", ("lost",)),
    0x2F001: ("sched_add_domain", _VCPU),
    0x2F002: ("sched_rem_domain", _VCPU),
    0x2F003: ("domain_sleep", _VCPU),
    0x2F004: ("domain_wake", _VCPU),
    0x2F005: ("do_yield", _VCPU),
    0x2F006: ("do_block", _VCPU),
    0x2F007: ("domain_shutdown", (*_VCPU, "reason")),
    0x2F008: ("sched_ctl", ()),
    0x2F009: ("sched_adjdom", ("domid",)),
    0x2F00A: ("__enter_scheduler", ("prev", "prev_edomid", "next", "next_edomid")),
    0x2F00B: ("s_timer_fn", ()),
    0x2F00C: ("t_timer_fn", ()),
    0x2F00D: ("dom_timer_fn", ()),
    0x2F00E: ("switch_infprev", ("old_domid", "runtime")),
    0x2F00F: ("switch_infnext", ("new_domid", "time", "r_time")),
    0x81001: ("VMEXIT", ("domid", "eip", "reason")),
    0x81002: ("VMENTRY", ("domid",)),
    0xAF001: ("page_grant_map", ("domid",)),
    0xAF002: ("page_grant_unmap", ("domid",)),
    0xAF003: ("page_grant_transfer", ("domid",)),
    0xAF005: ("decrease_reservation", ("domid", "pages")),
    0xAF006: ("increase_reservation", ("domid", "pages")),
}
"""The last two are additions: the original has no event for a balloon."""

_STATES = ("running", "runnable", "blocked", "offline")
_RUNSTATES = {
    0x21001 | old << 8 | new << 4: (f"{_STATES[old]}_to_{_STATES[new]}", ("dom:vcpu",))
    for old in range(4)
    for new in range(4)
    if old != new
}

XEN_4: Mapping[int, tuple[str, tuple[str, ...]]] = {
    0x1F001: ("lost_records", ("lost", "vcpu:dom", "first_tsc_lo", "first_tsc_hi")),
    0x1F002: ("wrap_buffer", ()),
    0x1F003: ("cpu_change", ("cpu", "window_size")),
    0x1F004: ("trace_irq", ("vector", "count", "tot_cycles", "max_cycles")),
    **_RUNSTATES,
    0x21002: ("continue_running", ("dom:vcpu",)),
    0x22001: ("csched:sched_tasklet", ("cpu",)),
    0x22002: ("csched:account_start", ("dom:vcpu", "active")),
    0x22003: ("csched:account_stop", ("dom:vcpu", "active")),
    0x22004: ("csched:stolen_vcpu", ("dom:vcpu", "from")),
    0x22005: ("csched:pick_cpu", ("dom:vcpu", "cpu")),
    0x22006: ("csched:tickle", ("cpu",)),
    0x22007: ("csched:boost", ("dom:vcpu",)),
    0x22008: ("csched:unboost", ("dom:vcpu",)),
    0x22009: ("csched:schedule", ("cpu:tasklet:idle",)),
    0x2200A: ("csched:ratelimit", ("dom:vcpu", "runtime")),
    0x2200B: ("csched:steal_check", ("peer_cpu", "checked")),
    0x28001: ("sched_add_domain", ("domid",)),
    0x28002: ("sched_rem_domain", ("domid",)),
    0x28003: ("domain_sleep", ("domid", "vcpu")),
    0x28004: ("domain_wake", ("domid", "vcpu")),
    0x28005: ("do_yield", ("domid", "vcpu")),
    0x28006: ("do_block", ("domid", "vcpu")),
    0x28007: ("domain_shutdown", ("domid", "vcpu", "reason")),
    0x28008: ("sched_ctl", ()),
    0x28009: ("sched_adjdom", ("domid",)),
    0x2800A: ("__enter_scheduler", ("prev", "prev_vcpu", "next", "next_vcpu")),
    0x2800B: ("s_timer_fn", ()),
    0x2800C: ("t_timer_fn", ()),
    0x2800D: ("dom_timer_fn", ()),
    0x2800E: ("switch_infprev", ("old_domid", "vcpu", "runtime")),
    0x2800F: ("switch_infnext", ("new_domid", "vcpu", "time", "r_time")),
    0x28010: ("domain_shutdown_code", ("domid", "vcpu", "reason")),
    0x28011: ("switch_infcont", ("domid", "vcpu", "runtime", "r_time")),
    0x201001: ("hypercall", ("op", "args")),
    0x201003: ("trap", ("eip", "trapnr", "error")),
    0x201004: ("page_fault", ("eip", "addr", "error")),
    0x201005: ("forced_invalid_op", ("eip",)),
    0x201006: ("emulate_privop", ("eip",)),
    0x201007: ("emulate_4G", ("eip",)),
    0x201008: ("math_state_restore", ()),
    0x20100D: ("hypercall", ("op", "args")),
    0x20100E: ("hypercall_subcall", ("op", "args")),
    0x201104: ("page_fault", ("eip_lo", "eip_hi", "addr_lo", "addr_hi", "error")),
    0x201106: ("emulate_privop", ("eip_lo", "eip_hi")),
    0x20110B: ("ptwr_emulation", ("npte_lo", "npte_hi", "addr_lo", "addr_hi", "rip_lo", "rip_hi")),
    0x20200E: ("hypercall_subcall", ("op", "args")),
    0x802008: ("irq_unmapped", ()),
}


def event_mask(text: str) -> int:
    """Return the mask of `-e`: numbers and names of classes, joined by commas or bars.

    Raises: UsageError naming the word.
    """
    mask = 0
    for word in text.replace("|", ",").split(","):
        name = word.strip().lower()
        if name in CLASSES:
            mask |= CLASSES[name]
            continue
        try:
            number = int(name, 0)
        except ValueError:
            number = -1
        if not 0 < number < 1 << 32:
            known = ", ".join(CLASSES)
            raise UsageError(f"-e {text}: {word.strip()!r} is neither a mask nor one of: {known}")
        mask |= number
    return mask
