"""The setting of a performance counter, as the hypercall carries it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CounterConfig:
    """A counter as XENOPROF_counter sets it. `kernel` includes the hypervisor."""

    event: int
    unit_mask: int
    count: int
    kernel: bool
    user: bool
