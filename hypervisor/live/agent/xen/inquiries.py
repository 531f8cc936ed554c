"""Asks for what is wanted of many domains in every poll, in as few hypercalls as can be."""

import struct
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen import layouts
from hypervisor.live.agent.xen.batch import MOST, Batch, Question
from hypervisor.live.agent.xen.interface import Interface

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


Vcpu = Tuple[bool, bool, bool, int, int]
"""The fields of a `VcpuInfo`."""
WeightCap = Tuple[int, int]
Affinity = Tuple[int, ...]
"""The pcpus that a vcpu may run on: its hard affinity."""


class Wanted(NamedTuple):
    """What is to be asked; vcpus are told by domid and number."""

    vcpus: Sequence[Tuple[int, int]] = ()
    weights: Sequence[Tuple[int, int]] = ()  # by domid and the number of its scheduler
    affinities: Sequence[Tuple[int, int]] = ()  # of vcpus, at most `MOST_AFFINITIES`
    pcpus: int = 0  # of the host: only they are told in an affinity


class Found(NamedTuple):
    """The answers, in the order of what was wanted; None for what is not there, or refused."""

    vcpus: List[Optional[Vcpu]]
    weights: List[Optional[WeightCap]]  # None as well where a scheduler has none
    affinities: List[Optional[Affinity]]


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
        self._read = b"", b""
        self._weights: List[Optional[WeightCap]] = []
        self._affinities: List[Optional[Affinity]] = []
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
        wanted = self.wanted
        vcpus_end = len(wanted.vcpus)
        weights_end = vcpus_end + len(wanted.weights)

        def refused_at(place: int, error: HypercallFailed) -> None:
            kind = "weights" if place < weights_end else "affinity"
            refused("vcpus" if place < vcpus_end else kind, error)

        if wanted.affinities:
            self._xen.clear(self._size * len(wanted.affinities))
        requests, missing = self._batch.ask(self._questions, refused_at)
        bitmaps = bytes(self._xen.buffer[: self._size * len(wanted.affinities)])
        vcpus: List[Optional[Vcpu]] = [*layouts.VCPU.iter_unpack(requests[: vcpus_end * _ROW])]
        weights, affinities = self._settings(requests[vcpus_end * _ROW :], bitmaps)
        for place in missing:
            if place < vcpus_end:
                vcpus[place] = None
            elif place < weights_end:
                weights[place - vcpus_end] = None
            else:
                affinities[place - weights_end] = None
        return Found(vcpus, weights, affinities)

    def _settings(
        self, requests: bytes, bitmaps: bytes
    ) -> Tuple[List[Optional[WeightCap]], List[Optional[Affinity]]]:
        """Return weights and affinities, which seldom are others than those that were read last."""
        if (requests, bitmaps) != self._read:
            self._read = requests, bitmaps
            wanted, size = self.wanted, self._size
            rows = layouts.WEIGHT.iter_unpack(requests[: len(wanted.weights) * _ROW])
            self._weights = [
                one if scheduler in _WEIGHTED else None
                for one, (_, scheduler) in zip(rows, wanted.weights)
            ]
            self._affinities = [
                self._bitmaps.numbers(bitmaps[at : at + size], wanted.pcpus)
                for at in range(0, len(bitmaps), size or 1)
            ]
        return [*self._weights], [*self._affinities]


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
