"""The state in a saved guest's memory, as the model keeps it; it is checked when it is read."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hypervisor.errors import Refused

Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class SavedPaging(_Record):
    """The saved state of `paging.Paging`."""

    page_ins: Count = 0
    page_outs: Count = 0
    oom_kills: Count = 0
    dead: list[Count] = []


class SavedGuest(_Record):
    """A saved guest. `workloads` are as in a scenario, `results` are those of each workload."""

    configured_kib: Annotated[int, Field(gt=0, lt=2**40)]
    workloads: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    paging: SavedPaging = SavedPaging()


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
