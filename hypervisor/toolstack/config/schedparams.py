"""Parameters of the SEDF scheduler: their defaults, and which values the hypervisor accepts.

Source: xen/common/sched_sedf.c (3.0.3), sedf_add_task and sedf_adjdom.
"""

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import Refused

PERIOD_MINIMUM_NS = 10_000
PERIOD_MAXIMUM_NS = 10_000_000_000
SLICE_MINIMUM_NS = 5_000
WEIGHT_PERIOD_NS = 100_000_000
_WEIGHT_MAXIMUM = 2**15 - 1  # a C short in the hypervisor


DOMAIN0_SEDF = SedfParameters(20_000_000, 15_000_000, 0, extratime=True, weight=0)
GUEST_SEDF = SedfParameters(WEIGHT_PERIOD_NS, 0, 0, extratime=True, weight=0)


def changed_sedf(
    current: SedfParameters,
    *,
    period_ns: int | None = None,
    slice_ns: int | None = None,
    latency_ns: int | None = None,
    extratime: bool | None = None,
    weight: int | None = None,
) -> SedfParameters:
    """Return `current` changed by what is not None, checked, as xm sends it to the hypervisor.

    All values are sent. So the slice of a domain that has a weight changes only together with
    `weight` = 0, and a guest that has never had a slice needs one before anything else is set.
    Raises: Refused.
    """
    parameters = SedfParameters(
        period_ns=current.period_ns if period_ns is None else period_ns,
        slice_ns=current.slice_ns if slice_ns is None else slice_ns,
        latency_ns=current.latency_ns if latency_ns is None else latency_ns,
        extratime=current.extratime if extratime is None else extratime,
        weight=current.weight if weight is None else weight,
    )
    check_sedf(parameters)
    return parameters


def check_sedf(parameters: SedfParameters) -> None:
    """Raise Refused for values that the hypervisor does not accept."""
    if not 0 <= parameters.weight <= _WEIGHT_MAXIMUM or parameters.latency_ns < 0:
        raise Refused("(22, 'Invalid argument')")
    if parameters.weight:
        return
    if not (
        PERIOD_MINIMUM_NS <= parameters.period_ns <= PERIOD_MAXIMUM_NS
        and SLICE_MINIMUM_NS <= parameters.slice_ns <= parameters.period_ns
    ):
        raise Refused("(22, 'Invalid argument')")
