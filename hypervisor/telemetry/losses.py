"""Says at which stage of its way a sample has been lost, by the reason of the loss."""

from collections.abc import Mapping

LOSS_STAGES: Mapping[str, str] = {
    "ring_full": "hypervisor",
    "never_read": "hypervisor",
    "domain_destroyed": "hypervisor",
    "cpu_buffer_overflow": "driver",
    "event_buffer_overflow": "driver",
    "unknown_event": "daemon",
    "no_mm": "daemon",
    "no_mapping": "daemon",
    "no_kernel_image": "daemon",
    "filtered": "daemon",
    "store_write_failed": "store",
    "count_overflow": "store",
}
"""Each reason has one stage: hypervisor | driver | daemon | store; see `stage_of`."""


def stage_of(reason: str) -> str:
    """Return the stage of a loss; other words are counters of the guest's driver."""
    return LOSS_STAGES.get(reason, "driver")
