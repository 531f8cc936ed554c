"""What a domain is to have, as its toolstack tells it: records that programs read as well."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManagedDomain:
    """A configuration that no domain runs with."""

    name: str
    memory_mib: int
    vcpus: int


@dataclass(frozen=True, slots=True)
class SedfParameters:
    """The parameters that `xm sched-sedf` shows and sets for each vcpu of a domain.

    When read, `weight` is 0 unless the slice is computed from it. When set without a weight,
    period and slice are as given. With a weight, extra time and no period, the weight applies to
    the extra time alone and nothing is guaranteed. With any other weight, the slice is the vcpu's
    share of what others leave of its pcpu, and the period and slice given here are ignored.
    """

    period_ns: int
    slice_ns: int
    latency_ns: int  # kept and shown; this build of the scheduler makes no use of it
    extratime: bool  # may use time that is guaranteed to nobody
    weight: int

    @property
    def is_for_extra_time_alone(self) -> bool:
        """Return whether setting this gives a share of the extra time and no slice."""
        return self.weight > 0 and self.extratime and self.period_ns == 0
