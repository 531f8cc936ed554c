"""Lots, flows and stations for the tests of single parts of the network."""

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.network.lot import Costs, Lot
from hypervisor.model.network.traffic import Traffic


class Wanderer:
    """A flow and a station in one, which remembers what comes."""

    def __init__(self, name: str = "f", *, has_tso: bool = False) -> None:
        self.name = name
        self.traffic = Traffic()
        self.mtu_bytes = 1500
        self.has_tso = has_tso
        self.guest: Guest | None = None
        self.domid = -1
        self.came: list[Lot] = []
        self.lost: list[Lot] = []
        self.sent: list[Lot] = []
        self.taken: list[Lot] = []
        self.freed: list[Lot] = []

    def arrived(self, lot: Lot) -> None:
        self.came.append(lot)

    def dropped(self, lot: Lot) -> None:
        self.lost.append(lot)

    def left(self, lot: Lot) -> None:
        self.freed.append(lot)

    def sending(self, lot: Lot) -> Costs:
        return []

    def send(self, lot: Lot, vcpu_id: int) -> None:
        self.sent.append(lot)

    def toll(self, lot: Lot) -> Costs:
        return []

    def take(self, lot: Lot) -> int:
        self.taken.append(lot)
        return 0

    def passed(self, lot: Lot) -> None:
        pass


def lot(
    packets: int,
    unit_bytes: int,
    payload_bytes: int | None = None,
    *,
    mss_bytes: int = 1448,
    header_bytes: int = 52,
    has_sg: bool = False,
    mark: int = 0,
    wanderer: Wanderer | None = None,
) -> Lot:
    """Return a lot of packets of `unit_bytes`, full ones if `payload_bytes` is not given."""
    at = wanderer or Wanderer()
    payload = packets * unit_bytes if payload_bytes is None else payload_bytes
    return Lot(
        at, at, at, "tcp_receive_segment",
        packets, unit_bytes, payload, mss_bytes, header_bytes, mark, has_sg=has_sg,
    )  # fmt: skip
