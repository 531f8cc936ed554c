"""The programs of a guest: they start when it boots, and keep their results over a save."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hypervisor.model.cpu.guest import Guest
from hypervisor.model.io.devices import Devices
from hypervisor.model.network.network import Network
from hypervisor.model.scenario.workloads import parse_workloads
from hypervisor.model.timing.random_stream import Streams
from hypervisor.model.workloads import WORKLOADS
from hypervisor.model.workloads.base import NoWay, Peer, Site, Workload
from hypervisor.model.workloads.hindered import Hindered
from hypervisor.model.workloads.rates import PHASES, RATES

# Results that only count up; rates over time and distributions restart after a restore.
COUNTS: Final = (
    "units",
    "work_seconds",
    "bursts",
    "bytes",
    "flops",
    "collected_seconds",
    "collections",
    "commits",
    "data_writes",
    "log_bytes",
    "log_writes",
    "logical_reads",
    "jobs",
    "lists",
    "messages",
    "new_orders",
    "objects",
    "operations",
    "physical_reads",
    "requests",
    "rounds",
    "solutions",
    "searches",
    "transactions",
)

COUNTS_OF_PHASES: Final = tuple(
    f"{phase}_{what}" for phase in PHASES for what in ("bytes", "seconds")
)  # of iozone
TALLIES: Final = ("tests",)
"""Results that are counts by name."""


class Programs:
    """The workloads of one domain."""

    def __init__(
        self,
        guest: Guest,
        devices: Devices,
        settings: Sequence[Mapping[str, object]],
        mhz: int,
        find: Callable[[str], Peer | None],
        streams: Streams,
        earlier: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """`settings` are as in a scenario; `earlier` are the results when they were saved."""
        self._guest = guest
        self._devices = devices
        self.settings = tuple(settings)
        self._mhz = mhz
        self._find = find
        self._streams = streams
        self._earlier = earlier
        self.running: list[Workload] = []
        self._endings: list[Callable[[], object]] = []

    def start(self, network: Network) -> None:
        """Start all workloads."""
        network.booted(self._guest)
        name = self._guest.domain.name
        for number, settings in enumerate(parse_workloads(self.settings)):
            stream = self._streams.stream(f"{name}/{number}")
            site = Site(
                self._guest,
                self._devices,
                stream,
                network,
                self._find,
                self._mhz,
                self._endings,
            )
            workload: Workload
            try:
                workload = WORKLOADS[settings.kind](site, settings.model_dump())
            except NoWay as error:  # an interface has gone since the domain was built
                workload = Hindered(settings.kind, str(error))
            self.running.append(workload)
            workload.start()

    def stop(self) -> None:
        """End what the workloads run in other domains, as this one is destroyed."""
        for end in self._endings:
            end()
        self._endings.clear()

    def results(self) -> tuple[Mapping[str, Any], ...]:
        """Return the results of each workload, including those before it was saved."""
        results = [dict(one.results()) for one in self.running]
        for now, before in zip(results, self._earlier, strict=False):
            for name in (*COUNTS, *COUNTS_OF_PHASES):
                if name in now and isinstance(before.get(name), int | float):
                    now[name] += before[name]
            for name in TALLIES:
                if name in now:
                    now[name] = dict(Counter(before.get(name, {})) + Counter(now[name]))
        for one in results:
            if one["kind"] in RATES:
                one |= RATES[one["kind"]](one)
        return tuple(results)
