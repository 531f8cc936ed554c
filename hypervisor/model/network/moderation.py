"""Interrupt moderation of a network card: the least time between two interrupts.

Source: Linux e1000, InterruptThrottleRate (8000 a second in 2.6.18) and, for the dynamic mode of
its 7.x driver, e1000_update_itr: 70000, 20000 or 4000 a second by what came with the last
interrupts.
"""

from typing import Final

SECOND_NS: Final = 1_000_000_000
DEFAULT_RATE: Final = 8000
DYNAMIC: Final = 0
"""The rate that stands for the dynamic mode; the driver's own numbers for it are 1 and 3."""

LOWEST_LATENCY: Final = 20_000  # InterruptThrottleRate=3 holds "lowest" at 20000
LOW_LATENCY: Final = 20_000
BULK_LATENCY: Final = 4000


class Moderation:
    """Tells when a card may interrupt. Several interrupts may be claimed at once."""

    __slots__ = ("_claimed_ns", "_is_dynamic", "_rate", "gap_ns", "last_ns")

    def __init__(self, rate: int = DEFAULT_RATE) -> None:
        """`rate` is in interrupts a second; DYNAMIC follows the traffic."""
        self._is_dynamic = rate == DYNAMIC
        self._rate = LOW_LATENCY if self._is_dynamic else rate
        self.gap_ns = SECOND_NS // self._rate
        self.last_ns = self._claimed_ns = -self.gap_ns

    def claim(self, now_ns: int, packets: int, size_bytes: int) -> int:
        """Return the number of interrupts since the last claim that these packets made."""
        interrupts = self.claim_passed(now_ns, packets)
        if not interrupts:  # one that sent packets have not claimed yet
            interrupts = 1
            self._claimed_ns += self.gap_ns
        self.last_ns = now_ns
        if self._is_dynamic:
            self._rate = next_rate(self._rate, packets // interrupts, size_bytes // interrupts)
            self.gap_ns = SECOND_NS // self._rate
        return interrupts

    def claim_passed(self, now_ns: int, packets: int) -> int:
        """Return the interrupts that packets sent since the last claim have made; may be 0."""
        possible = max(0, now_ns - self._claimed_ns) // self.gap_ns
        if possible > packets:
            self._claimed_ns = now_ns
            return packets
        self._claimed_ns += possible * self.gap_ns
        return possible


def next_rate(rate: int, packets: int, size_bytes: int) -> int:
    """Return the rate after an interrupt that brought so many packets and bytes.

    Source: e1000_main.c, e1000_update_itr and e1000_set_itr (driver 7.3).
    """
    if not packets:
        return rate
    if rate == BULK_LATENCY:
        if size_bytes > 25_000:
            return LOW_LATENCY if packets > 35 else BULK_LATENCY
        return LOW_LATENCY if size_bytes < 6000 else BULK_LATENCY
    if size_bytes > 10_000:
        each_bytes = size_bytes // packets
        if each_bytes > 8000 or packets < 10 or each_bytes > 1200:
            return BULK_LATENCY
        return LOWEST_LATENCY if packets > 35 else rate
    return BULK_LATENCY if size_bytes // packets > 2000 else rate
