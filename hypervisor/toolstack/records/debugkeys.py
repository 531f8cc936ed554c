"""Makes the lines that Xen writes to its console when a debug key is pressed.

Source: xen/common/sched_credit.c (csched_dump, csched_dump_pcpu, csched_dump_vcpu),
schedule.c (dump_runq) and keyhandler.c, 3.0.3 and 3.1. Some statistics of single vcpus are not
part of a snapshot and show as 0. The lines have no `(XEN) ` before them: see `bootring`.
"""

from collections.abc import Iterable, Sequence

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VcpuSnapshot
from hypervisor.telemetry.unknown import shown, whole
from hypervisor.toolstack.records.bootring import SCHEDULER_NAMES

IDLE_DOMAIN = 32767
_PRIORITIES = {"boost": 0, "under": -1, "over": -2, "parked": -65}
_IDLE_PRIORITY = -64
_DEFAULT_WEIGHT = 256
_TICK_MS = 10
_TICKS = 3  # of a slice and of an accounting period

# In the order of the source, without those that this host does not count.
_STATISTICS = {
    "3.0.3": (
        *("vcpu_sleep", "vcpu_wake_running", "vcpu_wake_onrunq", "vcpu_wake_runnable"),
        *("vcpu_wake_not_runnable", "schedule", "tickle_local_idler", "tickle_local_over"),
        *("tickle_local_under", "tickle_local_other", "acct_run", "acct_no_work", "acct_balance"),
        *("acct_reorder", "acct_min_credit", "acct_vcpu_active", "acct_vcpu_idle"),
        *("vcpu_migrate", "load_balance_idle", "load_balance_over", "load_balance_other"),
        *("steal_trylock_failed", "steal_peer_down", "steal_peer_idle", "steal_peer_running"),
        *("steal_peer_pinned", "tickle_idlers_none", "tickle_idlers_some"),
    ),
    "3.1": (
        *("schedule", "acct_run", "acct_no_work", "acct_balance", "acct_reorder"),
        *("acct_min_credit", "acct_vcpu_active", "acct_vcpu_idle", "vcpu_sleep"),
        *("vcpu_wake_running", "vcpu_wake_onrunq", "vcpu_wake_runnable"),
        *("vcpu_wake_not_runnable", "vcpu_park", "vcpu_unpark", "tickle_local_idler"),
        *("tickle_local_over", "tickle_local_under", "tickle_local_other", "tickle_idlers_none"),
        *("tickle_idlers_some", "load_balance_idle", "load_balance_over", "load_balance_other"),
        *("steal_trylock_failed", "steal_peer_idle", "migrate_queued", "migrate_running"),
    ),
}

# domain_flags and vcpu_flags of 3.0.3 (sched.h); the numbers of the bits were not checked.
_PRIVILEGED, _SHUTDOWN, _DYING, _PAUSED = 0x2, 0x4, 0x8, 0x10
_VCPU_READY = 0x7  # has used its FPU, initialised
_VCPU_RUNNING, _VCPU_BLOCKED, _VCPU_DOWN = 0x8, 0x20, 0x40

_Entry = tuple[DomainSnapshot, VcpuSnapshot]


def debug_keys(keys: str, snapshot: HostSnapshot) -> list[str]:
    """Return the lines that these keys write; a key without a handler writes nothing."""
    return [line for key in keys for line in debug_key(key, snapshot)]


def debug_key(key: str, snapshot: HostSnapshot) -> list[str]:
    """Return the lines that one key writes."""
    match key:
        case "h":
            return _handlers()
        case "q":
            return _domains(snapshot)
        case "r":
            return _run_queues(snapshot)
        case "t":
            now = snapshot.time_ns  # all pcpus of the model share one clock
            return [f"Min = {now} ; Max = {now} ; Diff = 0 (0 microseconds)"]
    return []


def _handlers() -> list[str]:
    """Return the lines of key h; the original has more keys, for what the model does not have."""
    keys = {
        "h": "show this message",
        "q": "dump domain (and guest debug) info",
        "r": "dump run queues",
        "t": "display multi-cpu clock info",
    }
    return [
        "'h' pressed -> showing installed handlers",
        *(f" key '{key}' (ascii '{ord(key):02x}') => {text}" for key, text in keys.items()),
    ]


def _is_newer(snapshot: HostSnapshot) -> bool:
    return (snapshot.xen_major or 0, snapshot.xen_minor or 0) >= (3, 1)


# Key r


def _run_queues(snapshot: HostSnapshot) -> list[str]:
    entries = [(domain, vcpu) for domain in snapshot.domains for vcpu in domain.vcpus]
    is_credit = snapshot.scheduler == "credit"
    now = snapshot.time_ns
    return [
        f"Scheduler: {_scheduler_name(snapshot)} ({shown(snapshot.scheduler)})",
        *(_credit_settings(snapshot, entries) if is_credit else ()),
        f"NOW=0x{now >> 32:08X}{now & 0xFFFFFFFF:08X}",
        *(line for pcpu in range(len(snapshot.pcpus)) for line in _pcpu(pcpu, snapshot, entries)),
    ]


def _scheduler_name(snapshot: HostSnapshot) -> str:
    return shown(snapshot.scheduler and SCHEDULER_NAMES[snapshot.scheduler])


def _is_active(vcpu: VcpuSnapshot) -> bool:
    """Return whether a vcpu earns credit: one that earns none has none."""
    return bool(vcpu.online) and (bool(vcpu.credit) or vcpu.runstate in ("running", "runnable"))


def _credit_settings(snapshot: HostSnapshot, entries: Sequence[_Entry]) -> list[str]:
    is_newer = _is_newer(snapshot)
    per_tick = 100 if is_newer else 10
    active = [entry for entry in entries if _is_active(entry[1])]
    weights = {domain.domid: domain.weight or 0 for domain, _ in active}
    rows = [
        ("ncpus", f"{len(snapshot.pcpus)}"),
        ("master", "0"),
        ("credit", f"{len(snapshot.pcpus) * per_tick * _TICKS}"),
        ("credit balance", f"{sum(vcpu.credit or 0 for _, vcpu in active)}"),
        ("weight", f"{sum(weights.values())}"),
        ("runq_sort", f"{snapshot.counters.get('acct_run', 0)}"),
    ]
    if is_newer:
        rows += [
            ("default-weight", f"{_DEFAULT_WEIGHT}"),
            ("msecs per tick", f"{_TICK_MS}ms"),
            ("credits per tick", f"{per_tick}"),
            ("ticks per tslice", f"{_TICKS}"),
            ("ticks per acct", f"{_TICKS}"),
        ]
    else:
        rows += [
            ("tick", f"{_TICK_MS}ms"),
            ("tslice", f"{_TICK_MS * _TICKS}ms"),
            ("accounting period", f"{_TICK_MS * _TICKS}ms"),
            ("default-weight", f"{_DEFAULT_WEIGHT}"),
        ]
    names = _STATISTICS["3.1" if is_newer else "3.0.3"]
    counters = snapshot.counters
    return [
        "info:",
        *(f"\t{name:<18} = {value}" for name, value in rows),
        f"idlers: {_idlers(snapshot, entries):#x}",
        "stats:",
        *(f"\t{name:<30} = {counters[name]}" for name in names if name in counters),
        "active vcpus:",
        *_numbered(_credit_vcpu(domain, vcpu, snapshot) for domain, vcpu in active),
    ]


def _numbered(lines: Iterable[str]) -> list[str]:
    return [f"\t{number:3}: {line}" for number, line in enumerate(lines, 1)]


def _idlers(snapshot: HostSnapshot, entries: Sequence[_Entry]) -> int:
    busy = {vcpu.pcpu for _, vcpu in entries if vcpu.runstate == "running"}
    return sum(1 << pcpu for pcpu in range(len(snapshot.pcpus)) if pcpu not in busy)


def _credit_vcpu(domain: DomainSnapshot, vcpu: VcpuSnapshot, snapshot: HostSnapshot) -> str:
    priority = vcpu.priority or "under"
    head = f"[{domain.domid}.{vcpu.vcpu}]"
    if _is_newer(snapshot):
        # In the original, parking is a flag and leaves the priority as it was.
        is_parked = priority == "parked"
        number = _PRIORITIES["over" if is_parked else priority]
        return (
            f"{head} pri={number} flags={is_parked:x} cpu={vcpu.pcpu or 0}"
            f" credit={vcpu.credit or 0} [w={domain.weight or 0}] (0+0) {{a/i=0/0 m=0+0}}"
        )
    return (
        f"{head} pri={_PRIORITIES[priority]} cpu={vcpu.pcpu or 0}"
        f" credit={vcpu.credit or 0} (0+0) {{a=0 i=0 w={domain.weight or 0}}}"
    )


def _pcpu(pcpu: int, snapshot: HostSnapshot, entries: Sequence[_Entry]) -> list[str]:
    here = [entry for entry in entries if entry[1].pcpu == pcpu]
    running = [entry for entry in here if entry[1].runstate == "running"]
    waiting = [entry for entry in here if entry[1].runstate == "runnable"]
    if snapshot.scheduler != "credit":
        return _sedf_pcpu(pcpu, snapshot, [*running, *waiting])
    waiting.sort(key=_by_priority)
    flags = " flags=0" if _is_newer(snapshot) else ""
    idle = f"[{IDLE_DOMAIN}.{pcpu}] pri={_IDLE_PRIORITY}{flags} cpu={pcpu}"
    queue = [_credit_vcpu(domain, vcpu, snapshot) for domain, vcpu in waiting]
    if running:
        queue.append(idle)
    current = _credit_vcpu(*running[0], snapshot) if running else idle
    sort = snapshot.counters.get("acct_run", 0)
    if _is_newer(snapshot):
        sibling, core = _masks(pcpu, snapshot)
        state = f"sort={sort}, sibling={sibling:#x}, core={core:#x}"
    else:
        state = f"tick={snapshot.time_ns // (_TICK_MS * 1_000_000)}, sort={sort}"
    return [f"CPU[{pcpu:02}]  {state}", f"\trun: {current}", *_numbered(queue)]


def _by_priority(entry: _Entry) -> int:
    return -_PRIORITIES[entry[1].priority or "under"]


def _masks(pcpu: int, snapshot: HostSnapshot) -> tuple[int, int]:
    """Return the masks of the logical processors of a pcpu's core and of its socket."""
    here = snapshot.pcpus[pcpu]
    same_socket = [one for one in snapshot.pcpus if one.socket == here.socket]
    sibling = sum(1 << one.pcpu for one in same_socket if one.core == here.core)
    return sibling, sum(1 << one.pcpu for one in same_socket)


def _sedf_pcpu(pcpu: int, snapshot: HostSnapshot, queue: Sequence[_Entry]) -> list[str]:
    """Return the running and waiting vcpus, without deadlines. The format is judgement."""
    lines = (
        f"{domain.domid}.{vcpu.vcpu} has={'T' if vcpu.runstate == 'running' else 'F'}"
        for domain, vcpu in queue
    )
    return [f"CPU[{pcpu:02}] now={snapshot.time_ns}", "RUNQ", *_numbered(lines)]


# Key q


def _domains(snapshot: HostSnapshot) -> list[str]:
    now = snapshot.time_ns
    lines = [
        "'q' pressed -> dumping domain info "
        f"(now=0x{now >> 32:X}:{now & 0xFFFFFFFF:08X})",
    ]  # fmt: skip
    for domain in snapshot.domains:
        lines += _domain(domain, snapshot)
        lines += [f"VCPU information and callbacks for domain {domain.domid}:"]
        for vcpu in domain.vcpus:
            lines += _vcpu(vcpu)
    return lines


def _domain(domain: DomainSnapshot, snapshot: HostSnapshot) -> list[str]:
    is_dom0 = domain.domid == 0
    on = {vcpu.pcpu for vcpu in domain.vcpus if vcpu.runstate == "running"}
    dirty = _cpu_set(pcpu for pcpu in on if pcpu is not None)
    memory = f"nr_pages={shown(whole(domain.memory_kib, 4))} xenheap_pages=5 dirty_cpus={dirty}"
    if _is_newer(snapshot):
        state = f"refcnt=3 dying={bool(domain.dying):d}"
    else:
        flags = (
            _PRIVILEGED * is_dom0
            | _SHUTDOWN * bool(domain.shutdown or domain.crashed)
            | _DYING * bool(domain.dying)
            | _PAUSED * bool(domain.paused)
            | (domain.kind == "hvm")
        )
        state = f"flags={flags:x} refcnt=3"
    return [
        f"General information for domain {domain.domid}:",
        f"    {state} {memory}",
        f"    handle={shown(domain.uuid)} vm_assist=0000000d",
        f"Rangesets belonging to domain {domain.domid}:",
        f"    Interrupts {{ {'1-255 ' if is_dom0 else ''}}}",
        f"    I/O Memory {{ {'0-febff, fec01-fedff, fee01-ffffffff ' if is_dom0 else ''}}}",
        f"    I/O Ports  {{ {'0-1f, 22-3f, 44-60, 62-9f, a2-3f7, 400-ffff ' if is_dom0 else ''}}}",
        f"Memory pages belonging to domain {domain.domid}:",
        "    DomPage list too long to display",
    ]


def _vcpu(vcpu: VcpuSnapshot) -> list[str]:
    is_running = vcpu.runstate == "running"
    flags = _VCPU_READY | _VCPU_RUNNING * is_running
    flags |= _VCPU_BLOCKED * (vcpu.runstate == "blocked") | _VCPU_DOWN * (vcpu.online is False)
    dirty = [vcpu.pcpu or 0] if is_running else []
    affinity = shown(vcpu.affinity and _cpu_set(vcpu.affinity))
    return [
        f"    VCPU{vcpu.vcpu}: CPU{vcpu.pcpu or 0} [has={'T' if is_running else 'F'}] "
        f"flags={flags:x} upcall_pend = {is_running:02x}, upcall_mask = 00 "
        f"dirty_cpus={_cpu_set(dirty)} cpu_affinity={affinity}",
        "    Notifying guest (virq 1, port 0, stat 0/0/0)",
    ]


def _cpu_set(pcpus: Iterable[int]) -> str:
    """Return a set of pcpus as cpulist_scnprintf writes it: {0-2,5}."""
    parts: list[list[int]] = []
    for pcpu in sorted(pcpus):
        if parts and parts[-1][1] == pcpu - 1:
            parts[-1][1] = pcpu
        else:
            parts.append([pcpu, pcpu])
    return f"{{{','.join(f'{a}' if a == b else f'{a}-{b}' for a, b in parts)}}}"
