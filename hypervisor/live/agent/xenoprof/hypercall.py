"""Makes the Xenoprof hypercall: one method for each operation."""

from typing import NamedTuple

from hypervisor.live.agent.xen.privcmd import PAGE, Privcmd
from hypervisor.live.agent.xenoprof import layouts


class Found(NamedTuple):
    """What Xenoprof finds in a machine."""

    cpu_type: str  # as oprofile calls it; empty if it has none
    counters: int
    is_primary: bool  # whether this domain may have others profiled


class Shared(NamedTuple):
    """Where the buffers of a domain are: one for each vcpu, one behind the other."""

    address: int
    buffers: int
    buffer_bytes: int


class Counter(NamedTuple):
    """What a counter counts: an event, in all modes, and after how many of it a sample is taken."""

    event: int
    unit_mask: int
    period: int  # 0: it is off


class Xenoprof:
    """The hypercall, made by one thread. All methods raise `HypercallFailed` if it is refused."""

    def __init__(self, privcmd: Privcmd) -> None:
        self._privcmd = privcmd
        self._request = privcmd.memory(PAGE)

    def probe(self) -> None:
        """Ask for what no Xenoprof has: EINVAL says that there is one. It changes nothing."""
        self._privcmd.call(layouts.XENOPROF_OP, layouts.NO_OPERATION, self._request.address)

    def init(self) -> Found:
        """Make this domain the primary profiler, if there is none and it is domain 0.

        It makes Xen forget that it counts: stop that before.
        """
        data = self._request.data
        data[: layouts.INIT.size] = bytes(layouts.INIT.size)
        self.do("init")
        counters, is_primary, cpu_type = layouts.INIT.unpack_from(data)
        name = bytes(cpu_type).split(b"\0")[0].decode("ascii", "backslashreplace")
        return Found(name, min(max(0, counters), layouts.MOST_COUNTERS), bool(is_primary))

    def get_buffer(self, samples: int) -> Shared:
        """Have the buffers of this domain made, for so many samples a vcpu or as many as go."""
        layouts.GET_BUFFER.pack_into(self._request.data, 0, samples, 0, 0, 0)
        self.do("get_buffer")
        _, buffers, size, address = layouts.GET_BUFFER.unpack_from(self._request.data)
        return Shared(address, buffers, size)

    def set_active(self, domid: int) -> None:
        """List a domain that has buffers of its own."""
        layouts.ACTIVE.pack_into(self._request.data, 0, domid)
        self.do("set_active")

    def set_passive(self, domid: int, samples: int) -> Shared:
        """List a domain whose buffers this one gets."""
        layouts.PASSIVE.pack_into(self._request.data, 0, domid, samples, 0, 0, 0)
        self.do("set_passive")
        _, _, buffers, size, address = layouts.PASSIVE.unpack_from(self._request.data)
        return Shared(address, buffers, size)

    def counter(self, index: int, counter: Counter) -> None:
        """Set what a counter counts; with a period of 0 it counts nothing."""
        is_on = int(counter.period > 0)
        layouts.COUNTER.pack_into(
            self._request.data,
            0,
            index,
            counter.period,
            is_on,
            counter.event,
            is_on,
            is_on,
            is_on,
            counter.unit_mask,
        )
        self.do("counter")

    def do(self, operation: str) -> None:
        """Do what needs no more than its name, as `layouts.OPERATIONS` has them."""
        number = layouts.OPERATIONS[operation]
        self._privcmd.call(layouts.XENOPROF_OP, number, self._request.address)
