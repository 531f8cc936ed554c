"""Explains why samples are lost: the reasons that metrics, notes and reports name."""

import re
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

_LINE = re.compile(r"lost: \d{1,15} samples \((.*)\)")
_REASON = re.compile(r"([a-z_]{1,40}) (\d{1,15})")


def lost_text(lost: Mapping[str, int]) -> str:
    """Return one line about lost samples; "" if there are none."""
    total = sum(lost.values())
    if not total:
        return ""
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(lost.items()) if count)
    return f"lost: {total} samples ({reasons})"


def lost_in(text: str) -> dict[str, int]:
    """Return the losses in a line of `lost_text`; none in any other text."""
    line = _LINE.fullmatch(text)
    parts = [_REASON.fullmatch(part) for part in line[1].split(", ")] if line else []
    return {part[1]: int(part[2]) for part in parts if part}
