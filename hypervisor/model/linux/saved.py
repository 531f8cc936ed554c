"""The state in a saved guest's memory, as the model keeps it; it is checked when it is read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from hypervisor.errors import Refused
from hypervisor.model.memory.saved import SavedPaging
from hypervisor.model.scenario.faults import Fault, Missing, Unfit, Unknown
from hypervisor.model.scenario.table import Bounds, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedGuest(Table):
    """The whole guest. `workloads` as in a scenario, `results` what each had achieved."""

    configured_kib: Annotated[int, Bounds(gt=0, lt=2**40)]
    workloads: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    paging: SavedPaging = field(default_factory=SavedPaging)

    def state(self) -> Mapping[str, Any]:
        """Return it as JSON can hold it; `read_saved` reads it back."""
        return asdict(self)


def read_saved(state: Mapping[str, Any]) -> SavedGuest:
    """Return a guest's state from JSON values. Raises: Refused."""
    try:
        return SavedGuest.read(state)
    except Fault as fault:
        raise Refused(f"the saved guest cannot be used: {_told(fault)}; damaged?") from None


def _told(fault: Fault) -> str:
    location = ".".join(map(str, fault.location))
    match fault:
        case Missing():
            return f"{location}: field required"
        case Unknown():
            return (
                ".".join(map(str, (*fault.location, fault.key)))
                + ": extra inputs are not permitted"
            )
        case Unfit():
            return f"{location}: input should be {fault.should_be.lower()}"
    return f"{location}: {fault.text}"
