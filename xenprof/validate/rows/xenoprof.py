"""Rows 40 and 41: which samples Xenoprof loses, and what it refuses."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from hypervisor.errors import EPERM, OprofilefsError
from xenprof.validate.figure import Experiment
from xenprof.validate.hosts import MS, SECOND, Machine, boot, guest, work
from xenprof.validate.rows.sampling import APART, HOST, LARGE, count, counters, exact

# Row 40.

_SLEEPS_MS: Final = (1_000_000, 500, 100, 20)


def ring_losses(seed: int) -> tuple[float, ...]:
    """Return which sample is the first that a passive and an active ring loses.

    And in how many steps, as domain 0 gets busier, fewer passive samples are lost; and what is
    lost at last.
    """
    lost = [_lost_beside(sleep_ms, seed) for sleep_ms in _SLEEPS_MS]
    falls = sum(less < more for more, less in pairwise(lost))
    return _first_loss(0, seed), _first_loss(1, seed), falls, lost[-1]


def _first_loss(active: int, seed: int) -> float:
    """Return the number of the first lost sample of a guest whose samples nobody takes."""
    host = boot(HOST, guest("g", work("cpu"), cpus="1"), domain0=APART, seed=seed)
    host.advance(SECOND // 10)
    count(host, 100_000, (0, 1) if active else (0,), () if active else (1,))
    # Domain 0 takes no sample any more, which would empty the rings; or the guest's daemon is gone.
    if active:
        host.xenoprof.detach_reader(1)
    else:
        host.hypercalls.pause_domain(0)
    before = counters(host)
    while not (told := counters(host)).lost:
        is_near = active or told.passive > 2000
        host.advance(host.now_ns + (MS // 100 if is_near else MS))
    kept = told.active - before.active if active else told.passive
    return kept + 1


def _lost_beside(sleep_ms: int, seed: int) -> int:
    """Return the samples of a passive guest that are lost in two seconds."""
    busy = APART | {"workload": [work("burst", run_ms=1, sleep_ms=sleep_ms)]}
    host = boot(HOST, guest("g", work("cpu"), cpus="1"), domain0=busy, seed=seed)
    for name, value in LARGE.items():
        host.profiler.oprofile("0").write(name, value)
    count(host, 50_000, (0,), (1,))
    host.advance(2 * SECOND)
    return counters(host).lost


# Row 41.

_IDLE, _RESERVED, _READY, _PROFILING = STATES = range(4)
_TAKEN: Final[Mapping[str, tuple[int, ...]]] = {
    "set_active": (_IDLE,),
    "set_passive": (_IDLE,),
    "reserve_counters": (_IDLE,),
    "setup_events": (_RESERVED,),
    "start": (_READY,),
    "stop": (_PROFILING,),
    "disable_virq": (_IDLE, _RESERVED, _READY),
    "release_counters": (_RESERVED, _READY),
    "shutdown": (_IDLE,),
}
"""The states in which each operation is not refused with EPERM."""
_OPERATIONS: Final[Mapping[str, Callable[[Machine], None]]] = {
    "set_active": lambda host: host.xenoprof.set_active(1),
    "set_passive": lambda host: host.xenoprof.set_passive(host.hypercalls.live[1]),
    "reserve_counters": lambda host: host.xenoprof.reserve_counters(),
    "setup_events": lambda host: host.xenoprof.setup_events(),
    "start": lambda host: host.xenoprof.start(),
    "stop": lambda host: host.xenoprof.stop(),
    "disable_virq": lambda host: host.xenoprof.disable_virq(0),
    "release_counters": lambda host: host.xenoprof.release_counters(),
    "shutdown": lambda host: host.xenoprof.shutdown(),
}


def wrong_refusals(seed: int) -> tuple[float, ...]:
    """Return how many operations are answered wrongly, and the same of a start that is too early.

    Too early: a domain on the active list has not enabled its interrupt.
    """
    wrong = sum(
        _is_refused(_in_state(state, seed), operation) == (state in _TAKEN[name])
        for name, operation in _OPERATIONS.items()
        for state in STATES
    )
    early = _in_state(_READY, seed, (0, 1))
    return wrong, not _is_refused(early, _OPERATIONS["start"])


def _in_state(state: int, seed: int, active: Sequence[int] = (0,)) -> Machine:
    """Return a host whose Xenoprof has been brought into a state by domain 0."""
    host = boot(HOST, guest("g"), domain0=APART, seed=seed)
    xenoprof, domain0 = host.xenoprof, host.hypercalls.live[0]
    xenoprof.init(0)
    for domid in active:
        xenoprof.set_active(domid)
        xenoprof.get_buffer(host.hypercalls.live[domid])
    if state >= _RESERVED:
        xenoprof.reserve_counters()
    if state >= _READY:
        xenoprof.setup_events()
        xenoprof.enable_virq(domain0)
    if state >= _PROFILING:
        xenoprof.start()
    return host


def _is_refused(host: Machine, operation: Callable[[Machine], None]) -> bool:
    try:
        operation(host)
    except OprofilefsError as error:
        return error.errno == EPERM
    return False


EXPERIMENTS: Final = (
    Experiment(
        40,
        ring_losses,
        (
            exact("first sample that a passive ring loses, domain 0 idle", 2048, "sample"),
            exact("first sample that an active ring loses, nobody takes any", 16, "sample"),
            exact("steps of a busier domain 0 in which fewer are lost, of 3", 3, "steps"),
            exact("lost beside a domain 0 that works every 20 ms", 0, "samples"),
        ),
    ),
    Experiment(
        41,
        wrong_refusals,
        (
            exact(
                "operations by state that are not refused as in the original, of 36",
                0,
                "operations",
            ),
            exact("starts before every active domain is ready", 0, "starts"),
        ),
        seeds=1,
    ),
)
