"""The I/O schedulers of domain 0, by their names in `elevator=` and in sysfs."""

from collections.abc import Callable, Mapping
from typing import Final

from hypervisor.model.storage.elevators.anticipatory import Anticipatory
from hypervisor.model.storage.elevators.base import Elevator
from hypervisor.model.storage.elevators.cfq import Cfq
from hypervisor.model.storage.elevators.deadline import Deadline
from hypervisor.model.storage.elevators.noop import Noop

ELEVATORS: Final[Mapping[str, Callable[[int], Elevator]]] = {
    "noop": Noop,
    "anticipatory": Anticipatory,
    "deadline": Deadline,
    "cfq": Cfq,
}
"""In the order in which sysfs lists them (`cat /sys/block/sda/queue/scheduler`); each is made for a
kernel that ticks so many times a second."""
DEFAULT_ELEVATOR: Final = "cfq"  # of RHEL 5
