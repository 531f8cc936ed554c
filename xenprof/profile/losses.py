"""Explains why samples are lost: the reasons that metrics, notes and reports name."""

from collections.abc import Mapping

REASONS = {
    "ring_full": "Xen's buffer was full",
    "never_read": "nobody read Xen's buffer in time",
    "cpu_buffer_overflow": "the cpu buffer was full (--cpu-buffer-size)",
    "event_buffer_overflow": "the event buffer was full (--buffer-size)",
    "domain_destroyed": "the domain was destroyed",
    "unknown_event": "a counter that no event of the daemon uses",
    "no_mm": "code of no known task",
    "no_mapping": "code in no mapped file",
    "no_kernel_image": "kernel or hypervisor code outside the images given (--vmlinux, --xen)",
    "filtered": "image not on the --image list",
    "store_write_failed": "the sample files could not be written",
    "count_overflow": "more than a count of 32 bits can hold",
    "no_address": "imported without an address",
    "unread": "not read yet from Xen's buffer",
}
"""Reason -> what happened, along the way of a sample; other reasons are shown as they are."""


def lost_text(lost: Mapping[str, int]) -> str:
    """Return one line about lost samples; "" if there are none."""
    total = sum(lost.values())
    if not total:
        return ""
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(lost.items()) if count)
    return f"lost: {total} samples ({reasons})"
