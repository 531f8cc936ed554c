"""Says at which stage of its way a sample has been lost, by the reason of the loss."""

from collections.abc import Mapping

LOSS_STAGES: Mapping[str, str] = {
    "ring_full": "hypervisor",
    "never_read": "hypervisor",
    "cpu_buffer_overflow": "driver",
    "event_buffer_overflow": "driver",
    "domain_destroyed": "driver",  # and its rings, which die with the driver that reads them
    "unknown_event": "daemon",
    "no_mm": "daemon",
    "no_mapping": "daemon",
    "no_kernel_image": "daemon",
    "filtered": "daemon",
    "store_write_failed": "store",
    "count_overflow": "store",
    "no_address": "import",
}
"""Each reason has one stage: hypervisor | driver | daemon | store | import."""
