"""What a save file holds of a guest's paging; checked when it is read."""

from dataclasses import dataclass, field
from typing import Annotated

from hypervisor.model.scenario.table import Bounds, Table

Count = Annotated[int, Bounds(ge=0, lt=2**63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPaging(Table):
    """See `paging.Paging`; what was swapped is swapped anew."""

    page_ins: Count = 0
    page_outs: Count = 0
    oom_kills: Count = 0
    dead: list[Count] = field(default_factory=list)
