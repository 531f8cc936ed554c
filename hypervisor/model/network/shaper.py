"""The rate limit of a vif: netback's window of credit, in closed form for whole batches."""

from typing import Final

from hypervisor.model.timing.kernelticks import PARAVIRTUAL_HZ, SECOND_NS
from hypervisor.toolstack.config.devices import RateSpec

TICK_NS: Final = SECOND_NS // PARAVIRTUAL_HZ  # of domain 0's kernel
# The most that one packet may take of a refill, so that TSO packets can pass.
_PACKET_MAX_BYTES: Final = 131_072


class CreditShaper:
    """Limits the rate of a guest. Packets are never dropped: they stay in the shared ring.

    `window_us` 0 means no limit, as xend writes it (`4294967295,0`). A window lasts a tick of
    domain 0's kernel at least, as netback's timer does. A longer one lasts as long as is
    configured, where netback rounds it up to ticks (judgement): with the 100 or 1000 ticks a second
    of other kernels `rate=10Mb/s` is just that, and with el5's 250 it would be 9.6 Mb/s.
    Source: linux-2.6-xen, drivers/xen/netback/netback.c, net_tx_action and tx_add_credit.
    """

    __slots__ = (
        "_held_ns",
        "_held_since_ns",
        "_last_refill_ns",
        "_timer_ns",
        "_window_ns",
        "remaining_bytes",
        "window_bytes",
    )

    def __init__(self, window_bytes: int, window_us: int) -> None:
        self.window_bytes = window_bytes
        self._window_ns = max(window_us * 1000, TICK_NS) if window_us else 0
        self.remaining_bytes = window_bytes
        self._last_refill_ns = 0
        self._timer_ns: int | None = None
        self._held_ns = 0  # before `_held_since_ns`
        self._held_since_ns: int | None = None  # set while packets wait for the timer

    def admit(self, now_ns: int, packets: int, packet_bytes: int) -> tuple[int, int | None]:
        """Return how many of `packets`, each of `packet_bytes`, may be sent now.

        The second value is the time to ask again for the rest; None if all may be sent.
        """
        if self._window_ns == 0 or packet_bytes == 0:
            return packets, None
        self._held_ns = self.held_ns(now_ns)
        self._held_since_ns = None
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
        if sent == packets:
            return sent, None
        self._held_since_ns = now_ns
        return sent, self._timer_ns

    def held_ns(self, now_ns: int) -> int:
        """Return the time during which packets waited for credit, however many at a time."""
        if self._held_since_ns is None or self._timer_ns is None:
            return self._held_ns
        # Who held packets asks again when the timer expires, unless they are there no more.
        return self._held_ns + min(now_ns, self._timer_ns) - self._held_since_ns

    def _spend(self, packets: int, packet_bytes: int) -> int:
        sent = min(packets, self.remaining_bytes // packet_bytes)
        self.remaining_bytes -= sent * packet_bytes
        return sent

    def _refill(self, at_ns: int, packet_bytes: int) -> None:
        """Renew the credit, which does not accumulate except for one jumbo packet."""
        ceiling = max(self.window_bytes, min(packet_bytes, _PACKET_MAX_BYTES))
        self.remaining_bytes = min(self.remaining_bytes + self.window_bytes, ceiling)
        self._last_refill_ns = at_ns


def shaper_of(rate: RateSpec | None) -> CreditShaper | None:
    """Return what keeps to the rate that a vif is configured with, if any."""
    return None if rate is None else CreditShaper(rate.bytes_per_window, rate.window_us)
