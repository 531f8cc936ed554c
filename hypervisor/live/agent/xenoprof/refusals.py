"""Says in one line what a refusal of Xenoprof means, and what to do."""

import errno

from hypervisor.live.agent.errors import HypercallFailed, Unavailable

_WHAT = "Xenoprof"
_INSTEAD = "profile by perf, or by contexts"
_BUSY = {
    "get_buffer": (
        "its buffers or the counters are taken: another program profiles, or a guest has a PMU",
        "end that program; boot Xen without vpmu",
    ),
    "reserve_counters": (
        "the interrupt of the counters is taken, as by the watchdog",
        "boot Xen without watchdog; if it is none, the host has to boot again",
    ),
}


def refused(operation: str, error: HypercallFailed) -> Unavailable:
    """Return what to tell of an operation, as `layouts.OPERATIONS` has them, that is refused."""
    number = error.errno
    if number == errno.ENOSYS:
        return Unavailable(
            _WHAT,
            "this hypervisor has none: it is Xen 4.22 or later, or was built without"
            " CONFIG_XENOPROF, or domain 0 is PVH (ENOSYS)",
            _INSTEAD,
        )
    if number == errno.ENODEV:
        return Unavailable(
            _WHAT,
            "it does not know this processor (ENODEV): it knows those of Intel with architectural"
            " counters, and of AMD the families 0Fh to 16h, which are older than Zen",
            _INSTEAD,
        )
    if number == errno.EACCES:
        return Unavailable(
            _WHAT,
            "the hypervisor's security policy (FLASK) denies %s (EACCES)" % operation,
            "allow domain 0 nonprivprofile and privprofile, or " + _INSTEAD,
        )
    if number == errno.EPERM and operation in ("probe", "init"):
        return Unavailable(
            _WHAT,
            "this domain may not profile others (EPERM): it is not domain 0, or not privileged",
            "run this in domain 0",
        )
    if number == errno.EBUSY and operation in _BUSY:
        why, advice = _BUSY[operation]
        return Unavailable(_WHAT, "%s (EBUSY)" % why, advice)
    if number == errno.EPERM:
        return Unavailable(
            _WHAT,
            "it is not in the state for %s (EPERM): another program uses it too" % operation,
            "end that program, and begin this again",
        )
    return Unavailable(_WHAT, "%s: %s" % (operation, error), _INSTEAD)


def unknown_processor(cpu_type: str) -> Unavailable:
    """Return what to tell of a type of processors whose events this program does not know."""
    shown = "%r" % cpu_type if cpu_type else "none"
    return Unavailable(
        _WHAT, "this program does not know the events of the processor: %s" % shown, _INSTEAD
    )
