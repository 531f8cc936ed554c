"""The rings of all domains that share buffers with the hypervisor, one for each vcpu."""

from hypervisor.model.domain.domain import Domain, Vcpu
from hypervisor.model.profiling.rings import Ring, ring_size
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.model.profiling.tally import Tally


class SharedBuffers:
    """Keeps the rings of domains, and counts the samples that are discarded with a ring."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rings: dict[int, list[Ring]] = {}

    def __contains__(self, domid: int) -> bool:
        """Return whether a domain has rings."""
        return domid in self._rings

    def ring(self, vcpu: Vcpu) -> Ring:
        """Return the ring of a vcpu whose domain has rings."""
        return self._rings[vcpu.domain.domid][vcpu.vcpu_id]

    def allocate(self, domain: Domain, asked: int) -> None:
        """Make rings for `asked` samples, unless the domain has rings."""
        if domain.domid not in self._rings:
            size = ring_size(asked, len(domain.vcpus))
            self._rings[domain.domid] = [Ring(size) for _ in domain.vcpus]

    def discard(self, domid: int) -> None:
        """Empty the rings of a domain, and count the unread samples."""
        self._tally.leave_unread(domid, self.unread(domid))
        self.take(domid)

    def release(self, domid: int) -> None:
        """Release the rings of a domain, and count the unread samples."""
        self.discard(domid)
        self.forget(domid)

    def forget(self, domid: int) -> None:
        """Release the rings of a domain without counting."""
        self._rings.pop(domid, None)

    def take(self, domid: int) -> list[list[SampleRow]]:
        """Take all rows out of the rings of a domain, by vcpu."""
        return [ring.empty() for ring in self._rings.get(domid, [])]

    def take_next(self, domid: int) -> list[SampleRow]:
        """Take all rows out of the first ring of a domain that holds any; [] if none does."""
        for ring in self._rings[domid]:
            if ring.rows:
                return ring.empty()
        return []

    def unread(self, domid: int) -> int:
        """Return the number of unread samples in a domain's rings."""
        return sum(ring.samples for ring in self._rings.get(domid, []))
