"""Sets up profiles for the tests of the sampling path, and reads their results."""

from collections.abc import Iterable, Sequence

import numpy as np

from hypervisor.host import OprofileDriver
from hypervisor.model.machine import Machine
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import XenoprofSnapshot
from tests.support.model.hosts import SECOND

CYCLES, INSTRUCTIONS = (0x1D, 1), (0x23, 1)  # GLOBAL_POWER_EVENTS, INSTR_RETIRED of a P4


def count_now(host: Machine) -> None:
    """Count the samples taken until now, as a stop does."""
    host.execution.accounting.settle_all()


def xenoprof_now(host: Machine) -> XenoprofSnapshot:
    """Return the hypervisor's sample counters, counted up to now."""
    count_now(host)
    counters = host.telemetry.snapshot().xenoprof
    assert counters is not None
    return counters


def set_counter(
    host: Machine,
    index: int = 0,
    *,
    event: tuple[int, int] = CYCLES,
    count: int = 100_000,
    kernel: int = 1,
    user: int = 1,
) -> None:
    """Write one counter's files in domain 0."""
    driver = host.profiler.oprofile("0")
    values = {
        "enabled": 1,
        "event": event[0],
        "unit_mask": event[1],
        "count": count,
        "kernel": kernel,
        "user": user,
    }
    for leaf, value in values.items():
        driver.write(f"{index}/{leaf}", str(value))


def begin(host: Machine, active: Iterable[int] = (0,), passive: Iterable[int] = ()) -> None:
    """Open the buffers of domain 0 and of all `active` domains, and start sampling."""
    driver = host.profiler.oprofile("0")
    driver.write("active_domains", ",".join(map(str, active)))
    driver.write("passive_domains", ",".join(map(str, passive)))
    driver.open_buffer()
    for domid in active:
        if domid:
            host.profiler.oprofile(str(domid)).open_buffer()
    driver.write("enable", "1")


def end(host: Machine, domids: Sequence[int] = (0,)) -> dict[int, SampleBatch]:
    """Stop sampling, dump, and return each daemon's samples as one batch."""
    host.profiler.oprofile("0").write("enable", "0")
    return {domid: dumped(host, host.profiler.oprofile(str(domid))) for domid in domids}


def dumped(host: Machine, driver: OprofileDriver) -> SampleBatch:
    """Dump, and return all that the daemon has received by then."""
    driver.write("dump", "1")
    host.advance_until(lambda: driver.pending() == 0, 5 * SECOND)
    batches = [lot.load().columns() for lot in driver.read_buffer()]
    return SampleBatch(
        *(np.concatenate([getattr(b, name) for b in batches]) for name in SampleBatch.__slots__)
    )
