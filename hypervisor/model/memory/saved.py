"""What a save file holds of a guest's paging; checked when it is read."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, lt=2**63)]


class SavedPaging(BaseModel):
    """See `paging.Paging`; what was swapped is swapped anew."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)

    page_ins: Count = 0
    page_outs: Count = 0
    oom_kills: Count = 0
    dead: list[Count] = []
