"""What elevators remember of a process: how long it thinks, and how far it seeks.

Means decay by an eighth with each sample, in fixed point of 8 bits.
Source: Linux 2.6.18, cfq_update_io_thinktime, cfq_update_io_seektime; as_update_thinktime,
as_update_seekdist.
"""

from typing import Final

VALID_SAMPLES: Final = 80


class History:
    """The habits of one process at one queue (struct cfq_io_context, as_io_context)."""

    __slots__ = ("last_end", "last_position", "seek_mean", "seek_samples", "seek_total",
                 "think_mean", "think_samples", "think_total")  # fmt: skip

    def __init__(self) -> None:
        self.last_end = 0  # the tick at which its last synchronous request ended
        self.last_position = 0  # the sector behind its last request
        self.think_samples = self.think_total = self.think_mean = 0
        self.seek_samples = self.seek_total = self.seek_mean = 0

    def thought(self, ticks: int) -> None:
        """Count a time between the end of a request and the next one."""
        self.think_samples = (7 * self.think_samples + 256) // 8
        self.think_total = (7 * self.think_total + 256 * ticks) // 8
        self.think_mean = (self.think_total + 128) // self.think_samples

    def sought(self, sector: int) -> None:
        """Count the distance from the last request to one at `sector`."""
        distance = abs(sector - self.last_position) if self.last_position else 0
        # An odd fragment shall not change it by too much.
        odd = 2 * 1024 * (1024 if self.seek_samples <= 60 else 64)
        distance = min(distance, self.seek_mean * 4 + odd)
        self.seek_samples = (7 * self.seek_samples + 256) // 8
        self.seek_total = (7 * self.seek_total + 256 * distance) // 8
        self.seek_mean = (self.seek_total + self.seek_samples // 2) // self.seek_samples
