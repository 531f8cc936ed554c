"""The rate limit of a vif: netback's window of credit, in closed form for whole batches."""

from typing import Final

# judgement: RHEL 5 kernels run 1000 ticks a second; netback's timer cannot be finer.
KERNEL_TICK_NS: Final = 1_000_000
# The most that one packet may take of a refill, so that TSO packets can pass.
_PACKET_MAX_BYTES: Final = 131_072


class CreditShaper:
    """Limits the rate of a guest. Packets are never dropped: they stay in the shared ring.

    `window_us` 0 means no limit, as xend writes it (`4294967295,0`).
    Source: linux-2.6-xen, drivers/xen/netback/netback.c, net_tx_action and tx_add_credit.
    """

    __slots__ = ("_last_refill_ns", "_timer_ns", "_window_ns", "remaining_bytes", "window_bytes")

    def __init__(
        self, window_bytes: int, window_us: int, *, kernel_tick_ns: int = KERNEL_TICK_NS
    ) -> None:
        self.window_bytes = window_bytes
        self._window_ns = -(-window_us * 1000 // kernel_tick_ns) * kernel_tick_ns
        self.remaining_bytes = window_bytes
        self._last_refill_ns = 0
        self._timer_ns: int | None = None

    def admit(self, now_ns: int, packets: int, packet_bytes: int) -> tuple[int, int | None]:
        """Return how many of `packets`, each of `packet_bytes`, may be sent now.

        The second value is the time to ask again for the rest; None if all may be sent.
        """
        if self._window_ns == 0 or packet_bytes == 0:
            return packets, None
        if self._timer_ns is not None and self._timer_ns <= now_ns:
            self._refill(self._timer_ns, packet_bytes)
            self._timer_ns = None
        sent = self._spend(packets, packet_bytes)
        if sent < packets and self._timer_ns is None:
            if now_ns >= self._last_refill_ns + self._window_ns:
                self._refill(now_ns, packet_bytes)
                sent += self._spend(packets - sent, packet_bytes)
            if sent < packets:
                self._timer_ns = self._last_refill_ns + self._window_ns
        return sent, self._timer_ns if sent < packets else None

    def _spend(self, packets: int, packet_bytes: int) -> int:
        sent = min(packets, self.remaining_bytes // packet_bytes)
        self.remaining_bytes -= sent * packet_bytes
        return sent

    def _refill(self, at_ns: int, packet_bytes: int) -> None:
        """Renew the credit, which does not accumulate except for one jumbo packet."""
        ceiling = max(self.window_bytes, min(packet_bytes, _PACKET_MAX_BYTES))
        self.remaining_bytes = min(self.remaining_bytes + self.window_bytes, ceiling)
        self._last_refill_ns = at_ns
