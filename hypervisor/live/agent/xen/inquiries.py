"""Asks for what is wanted of many domains in every poll, in as few hypercalls as can be."""

import struct
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen import layouts
from hypervisor.live.agent.xen.batch import MOST, Batch, Question
from hypervisor.live.agent.xen.interface import Interface
from hypervisor.live.agent.xen.records import VcpuInfo

MOST_AFFINITIES = MOST
"""Of one inquiry: their bitmaps lie side by side."""

Refused = Callable[[str, HypercallFailed], None]
"""Is told of each question that the hypervisor has refused: of `vcpus`, `affinity` or `weights`."""

_GET_VCPU, _GET_AFFINITY, _SCHEDULER = 14, 25, 16
_WEIGHTED = (5, 6)  # credit and credit2: others have no weights
_MOST_BITMAPS = 256
_MOST_BITMAP_BYTES = 512  # of 4096 pcpus
_U32 = struct.Struct("<I")
_ROW = layouts.REQUEST_BYTES


class Wanted(NamedTuple):
    """What is to be asked; vcpus are told by domid and number."""

    vcpus: Sequence[Tuple[int, int]] = ()
    weights: Sequence[Tuple[int, int]] = ()  # by domid and the number of its scheduler
    affinities: Sequence[Tuple[int, int]] = ()  # of vcpus, at most `MOST_AFFINITIES`
    pcpus: int = 0  # of the host: only they are told in an affinity


class Found(NamedTuple):
    """The answers, in the order of what was wanted; None for what is not there, or refused."""

    vcpus: List[Optional[VcpuInfo]]
    weights: List[Optional[Tuple[int, int]]]  # and caps; None where a scheduler has none
    affinities: List[Optional[Tuple[int, ...]]]  # pcpus that it may run on: hard affinity


class Inquiry:
    """Questions that are made ready once, and asked as often as wanted."""

    def __init__(
        self,
        xen: Interface,
        batch: Batch,
        bitmaps: "Bitmaps",
        wanted: Wanted,
    ) -> None:
        assert len(wanted.affinities) <= MOST_AFFINITIES
        self.wanted = wanted
        self._xen = xen
        self._batch = batch
        self._bitmaps = bitmaps
        self._size = size = min((wanted.pcpus + 7) // 8, _MOST_BITMAP_BYTES)
        address, bits = xen.buffer_address, size * 8
        self._questions = batch.ready(
            [Question(_GET_VCPU, domid, _U32.pack(vcpu)) for domid, vcpu in wanted.vcpus]
            + [
                Question(_SCHEDULER, domid, layouts.SCHEDULER.pack(scheduler, 1, 0, 0))
                for domid, scheduler in wanted.weights
            ]
            + [
                Question(
                    _GET_AFFINITY,
                    domid,
                    layouts.AFFINITY.pack(vcpu, 1, address + index * size, bits, 0, 0),
                )
                for index, (domid, vcpu) in enumerate(wanted.affinities)
            ]
        )

    def ask(self, refused: Refused) -> Found:
        """Ask all questions, and tell of those that were refused."""
        wanted, size = self.wanted, self._size
        vcpus_end = len(wanted.vcpus)
        weights_end = vcpus_end + len(wanted.weights)

        def refused_at(place: int, error: HypercallFailed) -> None:
            kind = "weights" if place < weights_end else "affinity"
            refused("vcpus" if place < vcpus_end else kind, error)

        if wanted.affinities:
            self._xen.clear(size * len(wanted.affinities))
        requests, missing = self._batch.ask(self._questions, refused_at)
        bitmaps = bytes(self._xen.buffer[: size * len(wanted.affinities)])
        vcpus: List[Optional[VcpuInfo]] = [
            VcpuInfo._make(one) for one in layouts.VCPU.iter_unpack(requests[: vcpus_end * _ROW])
        ]
        weights: List[Optional[Tuple[int, int]]] = [
            one if scheduler in _WEIGHTED else None
            for one, (_, scheduler) in zip(
                layouts.WEIGHT.iter_unpack(requests[vcpus_end * _ROW : weights_end * _ROW]),
                wanted.weights,
            )
        ]
        affinities: List[Optional[Tuple[int, ...]]] = [
            self._bitmaps.numbers(bitmaps[at : at + size], wanted.pcpus)
            for at in range(0, len(bitmaps), size or 1)
        ]
        for place in missing:
            if place < vcpus_end:
                vcpus[place] = None
            elif place < weights_end:
                weights[place - vcpus_end] = None
            else:
                affinities[place - weights_end] = None
        return Found(vcpus, weights, affinities)


class Bitmaps:
    """Reads bitmaps, and knows those that it has read: most vcpus have the same few."""

    def __init__(self) -> None:
        self._known: Dict[Tuple[bytes, int], Tuple[int, ...]] = {}

    def numbers(self, bitmap: bytes, pcpus: int) -> Tuple[int, ...]:
        """Return which of the first `pcpus` bits are set."""
        found = self._known.get((bitmap, pcpus))
        if found is None:
            if len(self._known) >= _MOST_BITMAPS:
                self._known.clear()
            found = tuple(
                8 * index + bit
                for index, byte in enumerate(bitmap)
                for bit in range(8)
                if byte >> bit & 1 and 8 * index + bit < pcpus  # Xen fills up whole bytes
            )
            self._known[bitmap, pcpus] = found
        return found
