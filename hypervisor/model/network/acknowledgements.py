"""Counts the acknowledgements of TCP streams as the packets that they are.

Source: Linux 2.6.18, net/ipv4/tcp_input.c (__tcp_ack_snd_check): every second segment is
acknowledged, a single one after TCP_DELACK_MIN.
"""

from typing import Final

from hypervisor.model.network.netif import ReceiveFlow
from hypervisor.model.network.nic import Nic
from hypervisor.model.network.traffic import TCP_IP_BYTES, Traffic

SEGMENTS_PER_ACK: Final = 2
DELAYED_NS: Final = 40_000_000


class Acknowledgements:
    """Counts the acknowledgements of one stream at all interfaces that they pass.

    They are only counted: their cost is part of the paths of the segments (see `codebook.book`),
    and they take no time on the wire and no slot of a ring.
    """

    def __init__(self, nic: Nic[ReceiveFlow], bridge: Traffic) -> None:
        self._nic = nic
        self._bridge = bridge
        self._single_ns = -1  # when a segment came that has no second one yet

    def segments(
        self, count: int, now_ns: int, receiver: Traffic | None, sender: Traffic | None
    ) -> None:
        """Count the acknowledgements of `count` segments.

        `receiver` and `sender` are interfaces of this host; None is outside, behind the card.
        """
        is_single = self._single_ns >= 0
        is_late = is_single and now_ns - self._single_ns > DELAYED_NS
        waiting = count + (is_single and not is_late)
        acks = is_late + waiting // SEGMENTS_PER_ACK
        if not waiting % SEGMENTS_PER_ACK:
            self._single_ns = -1
        elif count:
            self._single_ns = now_ns
        if acks:
            self._pass(acks, receiver, sender)

    def _pass(self, acks: int, receiver: Traffic | None, sender: Traffic | None) -> None:
        size_bytes = acks * TCP_IP_BYTES
        if receiver is None:
            self._nic.acknowledged(acks, size_bytes)
        else:
            receiver.transmitted(acks, size_bytes)
        self._bridge.received(acks, size_bytes)
        if sender is None:
            self._nic.acknowledge(acks, size_bytes)
        else:
            sender.received(acks, size_bytes)
