"""Works out what pieces of work take from their neighbours: the mean of their paths."""

from typing import Final

from hypervisor.model.codebook.locking import ONE, Claims
from hypervisor.model.codebook.pressure import Pressure
from hypervisor.model.codebook.sharing import Sharing
from hypervisor.model.codebook.work import AnyWork, Parts, Q

_NO_CLAIMS: Final[Claims] = []


class Pressures:
    """What work takes on a host, each worked out once."""

    def __init__(self, sharing: Sharing, most_sharers: int, usual: int) -> None:
        """`most_sharers`: pcpus of a cache. `usual`: the path of work of which nothing is known."""
        sharers = range(most_sharers + 1)
        crowded = [sharing.crowded(max(number, 1)) for number in sharers]
        self._uncrowded = [ONE] * len(crowded)
        self._by_path: list[Pressure] = []
        for path, claims in enumerate(sharing.locking.claims):
            crowd = [by_path[path] for by_path in crowded]
            self._by_path.append(
                Pressure(
                    path,
                    sharing.moved[path],
                    sharing.stall[path],
                    sharing.gain[path],
                    self._uncrowded if crowd == self._uncrowded else crowd,
                    claims,
                )
            )
        self._usual = Pressure(
            usual,
            sharing.moved[usual],
            sharing.stall[usual],
            sharing.gain[usual],
            self._by_path[usual].crowd,
            _NO_CLAIMS,
        )

    def of(self, work: AnyWork | None) -> Pressure:
        """Return what `work` takes; None: work that is not known yet."""
        if work is None:
            return self._usual
        found = work.pressure
        if found is None:
            found = work.pressure = self.of_parts(work.parts)
        return found

    def of_parts(self, parts: Parts) -> Pressure:
        """Return what work of `parts` takes."""
        if not parts:
            return self._usual
        first = self._by_path[parts[0][0]]
        if len(parts) == 1:
            return first
        total = moved = stall = gain = 0
        crowd, is_crowded = self._uncrowded, False
        is_locking = False
        for path, cycles_q in parts:
            cycles = cycles_q >> Q  # the products stay below 2**62
            one = self._by_path[path]
            total += cycles
            moved += cycles * one.moved
            stall += cycles * one.stall
            gain += cycles * one.gain
            is_crowded = is_crowded or one.crowd is not crowd
            is_locking = is_locking or bool(one.claims)
        total = max(total, 1)
        if is_crowded:
            crowd = self._mean_crowd(parts, total)
        claims = self._mean_claims(parts, total) if is_locking else _NO_CLAIMS
        return Pressure(first.path, moved // total, stall // total, gain // total, crowd, claims)

    def _mean_crowd(self, parts: Parts, total: int) -> list[int]:
        found = [0] * len(self._uncrowded)
        for path, cycles_q in parts:
            crowd = self._by_path[path].crowd
            for sharers in range(len(found)):
                found[sharers] = found[sharers] + (cycles_q >> Q) * (crowd[sharers] - ONE)
        for sharers in range(len(found)):
            found[sharers] = ONE + found[sharers] // total
        return found

    def _mean_claims(self, parts: Parts, total: int) -> Claims:
        sums: Claims = _NO_CLAIMS
        for path, cycles_q in parts:
            claims = self._by_path[path].claims
            if claims:
                if not sums:
                    sums = [0] * len(claims)
                for number in range(len(claims)):
                    sums[number] = sums[number] + (cycles_q >> Q) * claims[number]
        held = 0
        for number in range(len(sums)):
            share = sums[number] // total
            sums[number] = share
            held += share
        return sums if held else _NO_CLAIMS
