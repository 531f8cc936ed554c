"""The log: puts the samples of overflows into rings, as the hypervisor's NMI handler does.

Every overflow is an NMI that costs cycles and is counted exactly once: as active or passive
(logged), lost (ring full), or others (its domain is not profiled).
Source: xen/arch/x86/oprofile/xenoprof.c (3.0.3), xenoprof_log_event.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hypervisor.model.codebook.work import Parts
from hypervisor.model.cpu.accounting import owe
from hypervisor.model.domain.domain import Vcpu
from hypervisor.model.profiling.profiled import ProfiledDomains
from hypervisor.model.profiling.rings import Span, fit, lost_between_virqs, merged
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.model.profiling.shared_buffers import SharedBuffers
from hypervisor.model.profiling.tally import Tally

if TYPE_CHECKING:
    from hypervisor.model.profiling.chunks import SampleChunk

ByMode = Sequence[Sequence[int]]
"""The user, kernel and hypervisor samples of each row."""


class SampleLog:
    """Takes the samples of settled segments (see `pmu.SampleSink`).

    `domains` has the profiled domains, `buffers` holds the logged samples, `tally` counts.
    """

    def __init__(self, sample_parts: Parts, frame_parts: Parts) -> None:
        """`sample_parts`, `frame_parts`: the cost of a sample, and of each of its callers."""
        self.domains = ProfiledDomains()
        self.tally = Tally()
        self.buffers = SharedBuffers(self.tally)
        self._sample_path, self._sample_q = sample_parts[0]
        self._frame_path, self._frame_q = frame_parts[0]

    def take(self, chunk: "SampleChunk", vcpus: Sequence[Vcpu]) -> None:
        """Log the samples of a chunk; `vcpus` has the vcpu of each row."""
        by_mode: ByMode = chunk.counts.sum(axis=1).tolist()
        domains, tally = self.domains, self.tally
        active, passive, readers = domains.active, domains.passive, domains.readers
        domain0_ns = self._domain0_spans(chunk, vcpus, by_mode)
        taken: dict[Vcpu, int] = {}
        logged: list[int] = []
        plain: dict[Vcpu, list[SampleRow]] = {}  # passed the ring without losses
        virqs: dict[Vcpu, int] = {}
        for row, (user, kernel, xen) in enumerate(by_mode):
            vcpu = vcpus[row]
            samples = user + kernel + xen
            taken[vcpu] = taken.get(vcpu, 0) + samples
            domid = vcpu.domain.domid
            if active.get(domid, False):
                logged.append(row)
                if domid not in readers:
                    tally.active += self._log_unread(vcpu, chunk, row, samples, [])
                    continue
                ring = self.buffers.ring(vcpu)
                if user + kernel and not ring.fill and xen < ring.capacity and not passive:
                    plain.setdefault(vcpu, []).append(SampleRow(chunk, row, samples))
                    virqs[vcpu] = virqs.get(vcpu, 0) + user + kernel
                    tally.active += samples
                    continue
                if vcpu in plain:
                    readers[domid].virq(vcpu, virqs.pop(vcpu), plain.pop(vcpu))
                self._log_active(vcpu, chunk, row, user + kernel, xen)
            elif domid in passive:
                tally.passive += self._log_unread(vcpu, chunk, row, samples, domain0_ns)
                logged.append(row)
            else:
                tally.others += samples
        for vcpu, rows in plain.items():
            readers[vcpu.domain.domid].virq(vcpu, virqs[vcpu], rows)
        tally.total += sum(taken.values())
        self._charge(chunk, vcpus, by_mode, taken)
        tally.log(chunk, logged)

    def _domain0_spans(
        self, chunk: "SampleChunk", vcpus: Sequence[Vcpu], by_mode: ByMode
    ) -> list[Span]:
        """Return when domain 0 had samples in guest mode, at which it empties the passive rings."""
        domains = self.domains
        if not domains.passive or not domains.is_read(domains.primary):
            return []
        return merged(
            [
                chunk.span_ns(row)
                for row, (user, kernel, _) in enumerate(by_mode)
                if user + kernel and vcpus[row].domain.domid == domains.primary
            ]
        )

    def _charge(
        self, chunk: "SampleChunk", vcpus: Sequence[Vcpu], by_mode: ByMode, taken: dict[Vcpu, int]
    ) -> None:
        """Charge the vcpus for their samples and the callers of each."""
        for vcpu, samples in taken.items():
            owe(vcpu, self._sample_path, self._sample_q * samples)
        if chunk.walks is not None:
            for row, callers in enumerate(chunk.walks.callers.tolist()):
                if callers:
                    frames = callers * sum(by_mode[row])
                    owe(vcpus[row], self._frame_path, self._frame_q * frames)

    def _log_active(self, vcpu: Vcpu, chunk: "SampleChunk", row: int, virqs: int, xen: int) -> None:
        """Log samples, and raise the VIRQ at each one in guest mode, which empties the ring."""
        domid = vcpu.domain.domid
        ring = self.buffers.ring(vcpu)
        lost = lost_between_virqs(ring, xen, virqs)
        kept = virqs + xen - lost
        if lost:
            self.tally.lose(domid, lost)
            chunk.drop_xen(row, lost)
        ring.add(SampleRow(chunk, row, kept), ring.fill + kept)
        self.tally.active += kept
        if virqs:
            self.domains.readers[domid].virq(vcpu, virqs, [])

    def _log_unread(
        self,
        vcpu: Vcpu,
        chunk: "SampleChunk",
        row: int,
        samples: int,
        emptied_ns: list[Span],
    ) -> int:
        """Log the samples that fit into a ring that its own domain does not read; return how many.

        A passive domain's ring is emptied while domain 0 takes samples itself (`emptied_ns`).
        """
        ring = self.buffers.ring(vcpu)
        kept = samples
        fill = ring.fill + samples
        # Spans inside this segment count even if all samples fit: this row may have come first.
        if emptied_ns or fill > ring.capacity:
            kept, fill = fit(ring, chunk.span_ns(row), samples, emptied_ns)
        if kept < samples:
            self.tally.lose(vcpu.domain.domid, samples - kept)
            chunk.keep_first(row, kept)
        ring.add(SampleRow(chunk, row, kept), fill)
        return kept
