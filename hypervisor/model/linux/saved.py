"""The state in a saved guest's memory, as the model keeps it; it is checked when it is read."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hypervisor.errors import Refused
from hypervisor.model.memory.saved import SavedPaging


class SavedGuest(BaseModel):
    """The whole guest. `workloads` as in a scenario, `results` what each had achieved.

    `drivers` are those for Xen of an HVM guest.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)

    configured_kib: Annotated[int, Field(gt=0, lt=2**40)]
    workloads: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    paging: SavedPaging = Field(default_factory=SavedPaging)
    drivers: list[Literal["vbd", "vif"]] = []

    def state(self) -> Mapping[str, Any]:
        """Return it as JSON can hold it; `read_saved` reads it back."""
        return self.model_dump()


def read_saved(state: Mapping[str, Any]) -> SavedGuest:
    """Return a guest's state from JSON values. Raises: Refused."""
    try:
        return SavedGuest.model_validate(dict(state))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(
            f"the saved guest cannot be used: {where}: {first['msg'].lower()}; damaged?"
        ) from None
