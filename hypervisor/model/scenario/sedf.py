"""The keys of a domain's table for the SEDF scheduler; the credit scheduler ignores them."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import Refused
from hypervisor.model.scenario.table import Table
from hypervisor.toolstack.config.schedparams import GUEST_SEDF, changed_sedf

Milliseconds = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class SedfKeys(Table):
    """The parameters of `xm sched-sedf`; None = the default of a new domain."""

    created_with: ClassVar[SedfParameters] = GUEST_SEDF

    sedf_period_ms: Milliseconds | None = None
    sedf_slice_ms: Milliseconds | None = None
    sedf_extratime: bool | None = None
    sedf_weight: Annotated[int, Field(ge=0, le=32_767)] | None = None

    @property
    def sedf(self) -> SedfParameters | None:
        """Return the parameters to be set once the domain exists; None = keep the defaults."""
        keys = (self.sedf_period_ms, self.sedf_slice_ms, self.sedf_extratime, self.sedf_weight)
        if all(key is None for key in keys):
            return None
        return changed_sedf(
            self.created_with,
            period_ns=_ns(self.sedf_period_ms),
            slice_ns=_ns(self.sedf_slice_ms),
            extratime=self.sedf_extratime,
            weight=self.sedf_weight,
        )

    @model_validator(mode="after")
    def _sedf_is_taken(self) -> Self:
        try:
            _ = self.sedf
        except Refused:
            raise ValueError(
                "sedf needs a sedf_period_ms of 0.01 to 10000 and a sedf_slice_ms of 0.005 up to "
                "the period, or a sedf_weight"
            ) from None
        return self


def _ns(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1_000_000)
