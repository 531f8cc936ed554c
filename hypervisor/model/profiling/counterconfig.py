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
    name: str = ""
    """What the event is called in metrics; the hypervisor does not look at it."""

    @property
    def text(self) -> str:
        """Return the setting as opcontrol takes it, NAME:COUNT:UNITMASK:KERNEL:USER."""
        return f"{self.name}:{self.count}:{self.unit_mask}:{self.kernel:d}:{self.user:d}"
