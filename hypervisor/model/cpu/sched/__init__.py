"""The schedulers of the model, by their names in the boot option `sched=`."""

from collections.abc import Callable, Mapping

from hypervisor.model.cpu.sched import credit, sedf
from hypervisor.model.cpu.sched.base import Scheduler
from hypervisor.model.cpu.sched.context import SchedContext

SCHEDULERS: Mapping[str, Callable[[SchedContext, str], Scheduler]] = {
    "credit": credit.create,
    "sedf": sedf.create,
}
