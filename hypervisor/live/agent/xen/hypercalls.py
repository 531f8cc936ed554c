"""Asks the hypervisor: one method for each hypercall, with the layout that this Xen has."""

import errno
import itertools
import struct
from functools import lru_cache
from typing import Callable, Dict, List, Optional, Sequence, TypeVar

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen import layouts
from hypervisor.live.agent.xen.batch import Batch
from hypervisor.live.agent.xen.inquiries import Bitmaps, Inquiry, Wanted
from hypervisor.live.agent.xen.interface import Interface
from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.privcmd import Privcmd
from hypervisor.live.agent.xen.records import (
    DomainInfo,
    PhysicalInfo,
    Place,
    TraceInfo,
    VcpuContext,
    VcpuInfo,
    Version,
)

_XEN_VERSION = 17
_DOMAIN = Interface.DOMCTL_AT
_HOST = Interface.SYSCTL_AT

FIRST_RESERVED_DOMID = 0x7FF0
DOMAINS_A_CALL = 512
SCHEDULERS = {5: "credit", 6: "credit2", 7: "arinc653", 8: "rtds", 9: "null"}
"""Names of schedulers by Xen's numbers."""

_Listed = TypeVar("_Listed", DomainInfo, Life)

_MOST_UUIDS = 4096  # that are kept as text
_IN_KERNEL = 4
_NONE = 0xFFFFFFFF
_U32 = struct.Struct("<I")


class Xen:
    """One hypervisor, asked by one thread: another needs another `Xen`.

    Methods return None for a domain or a vcpu that is not there, or no longer, and raise
    `HypercallFailed` when the hypervisor refuses.

    Raises:
        Unavailable: Its interfaces have a version that is not in the tables.
    """

    def __init__(self, privcmd: Privcmd) -> None:
        self._xen = Interface(privcmd)
        self._batch = Batch(privcmd, self._xen)
        self.domctl = self._xen.domctl
        self.sysctl = self._xen.sysctl
        self._bitmaps = Bitmaps()
        self._domains = self.domctl.domains()
        self._handles = self.domctl.lives()

    @property
    def calls(self) -> int:
        """How many hypercalls were made."""
        return self._xen.calls

    def version(self) -> Version:
        """Return the version of the hypervisor."""
        number = self._xen.call(_XEN_VERSION, 0)
        self._xen.clear(16)
        self._xen.call(_XEN_VERSION, 1, self._xen.buffer_address)
        extra = bytes(self._xen.buffer[:16]).split(b"\0")[0]
        return Version(number >> 16, number & 0xFFFF, extra.decode("ascii", "backslashreplace"))

    def physinfo(self) -> PhysicalInfo:
        """Return what the machine has."""
        self._xen.ask_host(3)
        threads, cores, pcpus, highest, _, _, khz, _ = layouts.PHYSINFO.unpack_from(
            self._xen.request, _HOST
        )
        pages = layouts.PAGES.unpack_from(self._xen.request, _HOST + self.sysctl.pages_at)
        return PhysicalInfo(threads, cores, pcpus, highest, khz, *pages)

    def cpu_idle_ns(self, pcpus: int) -> List[int]:
        """Return how long each of the first `pcpus` pcpus was idle since boot."""
        asked = self._xen.clear(pcpus * 8) // 8
        layouts.CPU_INFO.pack_into(self._xen.request, _HOST, asked, self._xen.buffer_address, 0)
        self._xen.ask_host(8)
        answered = min(asked, layouts.CPU_INFO.unpack_from(self._xen.request, _HOST)[2])
        return list(struct.unpack_from("<%dQ" % answered, self._xen.buffer))

    def topology(self, pcpus: int) -> List[Optional[Place]]:
        """Return where each of the first `pcpus` pcpus is; None for one that is offline."""
        asked = self._xen.clear(pcpus * layouts.PLACE.size) // layouts.PLACE.size
        layouts.TOPOLOGY.pack_into(self._xen.request, _HOST, asked, self._xen.buffer_address)
        self._xen.ask_host(16)
        answered = min(asked, layouts.TOPOLOGY.unpack_from(self._xen.request, _HOST)[0])
        numbers = bytes(self._xen.buffer[: answered * layouts.PLACE.size])
        return [
            None if place[0] == _NONE else Place(*place)
            for place in layouts.PLACE.iter_unpack(numbers)
        ]

    def domains(self) -> List[DomainInfo]:
        """Return all domains, in the order of their ids."""
        return self._all_domains(self._infos)

    def lives(self) -> List[Life]:
        """Return the lives of all domains, in the order of their ids."""
        return self._all_domains(self._lives)

    def domains_from(self, first: int, count: int) -> List[DomainInfo]:
        """Return at most `count` domains (512 at most) with ids from `first` on."""
        return self._listed(first, count, self._infos)

    def _all_domains(self, read: Callable[[bytes], List[_Listed]]) -> List[_Listed]:
        found: List[_Listed] = []
        first = 0
        while first < FIRST_RESERVED_DOMID:
            batch = self._listed(first, DOMAINS_A_CALL, read)
            found.extend(batch)
            if len(batch) < DOMAINS_A_CALL:
                break
            first = batch[-1][0] + 1
        return found

    def _listed(
        self, first: int, count: int, read: Callable[[bytes], List[_Listed]]
    ) -> List[_Listed]:
        """Return what `read` makes of the records of domains."""
        size = self.domctl.domain_size
        asked = min(count, DOMAINS_A_CALL)
        layouts.DOMAIN_LIST.pack_into(
            self._xen.request, _HOST, first, asked, self._xen.buffer_address, 0
        )
        self._xen.ask_host(6)
        answered = min(asked, layouts.DOMAIN_LIST.unpack_from(self._xen.request, _HOST)[3])
        found = read(bytes(self._xen.buffer[: answered * size]))
        self._xen.clear(answered * size)  # so that no later answer can have it again
        for index, domain in enumerate(found):
            if not first <= domain[0] < FIRST_RESERVED_DOMID:
                return found[:index]  # ids ascend: what follows is no answer
            first = domain[0] + 1
        return found

    def _infos(self, records: bytes) -> List[DomainInfo]:
        return [
            DomainInfo(
                domid,
                flags,
                total,
                maximum,
                outstanding,
                cpu_ns,
                online,
                -1 if highest == _NONE else highest,
                ssid,
                _uuid(handle),
                -1 if pool == _NONE else pool,
                emulation,
            )
            for (
                domid, flags, total, maximum, outstanding, cpu_ns,
                online, highest, ssid, handle, pool, emulation,
            ) in self._domains.iter_unpack(records)
        ]  # fmt: skip

    def _lives(self, records: bytes) -> List[Life]:
        return [(domid, _uuid(handle)) for domid, handle in self._handles.iter_unpack(records)]

    def vcpu(self, domid: int, vcpu: int) -> Optional[VcpuInfo]:
        """Return the state of a vcpu at this moment."""
        _U32.pack_into(self._xen.request, _DOMAIN, vcpu)
        if not self._xen.ask_domain(14, domid):
            return None
        return VcpuInfo._make(layouts.VCPU.unpack_from(self._xen.request))

    def inquiry(self, wanted: Wanted) -> Inquiry:
        """Return what asks for this, as often as wanted, in as few hypercalls as can be."""
        return Inquiry(self._xen, self._batch, self._bitmaps, wanted)

    def scheduler_id(self) -> int:
        """Return the number of the scheduler that new pools get."""
        self._xen.ask_host(4)
        return int(_U32.unpack_from(self._xen.request, _HOST)[0])

    def pools(self) -> Dict[int, int]:
        """Return the CPU pools by number, with the numbers of their schedulers."""
        found: Dict[int, int] = {}
        pool = 0
        while pool <= FIRST_RESERVED_DOMID:
            self._xen.clear(8)
            layouts.POOL.pack_into(
                self._xen.request, _HOST, 3, pool, 0, 0, 0, 0, self._xen.buffer_address, 8
            )
            try:
                self._xen.ask_host(18)
            except HypercallFailed as error:
                if error.errno != errno.ENOENT:
                    raise
                break
            answer = layouts.POOL.unpack_from(self._xen.request, _HOST)
            if answer[1] < pool:
                break
            found[answer[1]] = answer[2]
            pool = answer[1] + 1
        return found

    def context(self, domid: int, vcpu: int) -> Optional[VcpuContext]:
        """Return where a vcpu of a 64-bit guest is. Xen pauses it for that."""
        self._xen.clear(layouts.CONTEXT_BYTES)
        layouts.CONTEXT.pack_into(self._xen.request, _DOMAIN, vcpu, self._xen.buffer_address)
        if not self._xen.ask_domain(13, domid):
            return None
        flags, rip, cs = (
            struct.unpack_from("<Q", self._xen.buffer, at)[0]
            for at in (layouts.CONTEXT_FLAGS_AT, layouts.CONTEXT_RIP_AT, layouts.CONTEXT_CS_AT)
        )
        return VcpuContext(bool(flags & _IN_KERNEL), rip, cs & 0xFFFF)

    def address_bits(self, domid: int) -> Optional[int]:
        """Return 32 or 64: the width of addresses of a paravirtualized guest."""
        if not self._xen.ask_domain(36, domid):
            return None
        return int(_U32.unpack_from(self._xen.request, _DOMAIN)[0])

    def runnable_ns(self, domid: int) -> Optional[int]:
        """Return how long the vcpus of a domain have waited on average.

        Only the Xen of XCP-ng and XenServer knows it.
        """
        if not self._xen.ask_domain(98, domid):
            return None
        return int(layouts.RUNSTATE.unpack_from(self._xen.request, _DOMAIN)[-1])

    def trace_info(self) -> TraceInfo:
        """Return where the trace buffers are; a size of 0 says that there are none yet."""
        answer = self._trace(0)
        return TraceInfo(answer[4], answer[5], answer[3])

    def set_trace_pcpus(self, pcpus: Sequence[int]) -> None:
        """Set which pcpus write trace records."""
        size = self._xen.clear(max(itertools.chain([0], pcpus)) // 8 + 1)
        for pcpu in pcpus:
            self._xen.buffer[pcpu // 8] |= 1 << pcpu % 8
        self._trace(1, address=self._xen.buffer_address, bits=size * 8)

    def set_trace_events(self, mask: int) -> None:
        """Set which events are traced, by Xen's mask of event classes."""
        self._trace(2, mask=mask)

    def set_trace_size(self, pages: int) -> None:
        """Set the pages of each pcpu's trace buffer, which can be done once until Xen boots."""
        self._trace(3, size=pages)

    def enable_trace(self) -> None:
        """Begin to write trace records."""
        self._trace(4)

    def disable_trace(self) -> None:
        """Write no more trace records."""
        self._trace(5)

    def _trace(
        self, command: int, address: int = 0, bits: int = 0, mask: int = 0, size: int = 0
    ) -> Sequence[int]:
        layouts.TRACE.pack_into(self._xen.request, _HOST, command, address, bits, mask, 0, size)
        self._xen.ask_host(2)
        return layouts.TRACE.unpack_from(self._xen.request, _HOST)


@lru_cache(maxsize=_MOST_UUIDS)
def _uuid(handle: bytes) -> str:
    digits = handle.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
