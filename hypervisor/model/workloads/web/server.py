"""A web server with a process for each connection, as httpd of RHEL 5 is delivered.

Each request has a connection of its own: without KeepAlive, as in its configuration file.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Latency, Site, working_set_kib
from hypervisor.model.workloads.dialogue import Dialogue, farewell, from_outside
from hypervisor.model.workloads.web.connection import acknowledgements, trains_of

HTTPD: Final = "/usr/sbin/httpd"
MOST_PROCESSES: Final = 256  # Source: MaxClients of RHEL 5's httpd.conf
# In thousands of cycles of a P4: with its calls and packets a request takes 150 to 250 us of one
# at 3.2 GHz, without Xen (judgement).
PROGRAM_UNITS: Final = 320


class Web:
    """httpd in this domain, and `clients` outside: each asks again when it has had its answer."""

    def __init__(
        self, site: Site, clients: int, file_bytes: int, think_ns: int, memory_mib: int | None
    ) -> None:
        """A client thinks for `think_ns` on average before it asks again."""
        self._site = site
        self._file_bytes = file_bytes
        self._think_ns = think_ns
        self._route = route = from_outside(site)
        trains = trains_of(file_bytes, route.mss_bytes)
        last_segments = -(-trains[-1].payload_bytes // route.mss_bytes)
        self._last_packets = acknowledgements(last_segments) + 1  # and its FIN
        self._clients = [
            Dialogue(route, trains, self._serve, self._done, number) for number in range(clients)
        ]
        processes = min(clients, MOST_PROCESSES)
        memory_kib = working_set_kib("httpd", memory_mib)
        self._free = [
            site.guest.spawn(HTTPD, 1, memory_kib // processes)[0] for _ in range(processes)
        ]
        self._waiting: deque[Dialogue] = deque()  # connections that no process has accepted
        self._started_ns = 0
        self._requests = 0
        self._latency = Latency()

    def start(self) -> None:
        """Let the clients come one after the other."""
        clock = self._site.clock
        self._started_ns = clock.now
        for client in self._clients:
            delay_ns = self._site.stream.uniform(max(self._think_ns, 10_000_000))
            clock.schedule(clock.now + delay_ns, self._begin, client)

    def _begin(self, client: Dialogue) -> None:
        if not self._site.domain.dying:
            client.begin()

    def _serve(self, client: Dialogue) -> None:
        if self._free:
            self._accept(self._free.pop(), client)
        else:
            self._waiting.append(client)

    def _accept(self, process: TaskIdentity, client: Dialogue) -> None:
        if self._site.domain.dying:
            return
        guest = self._site.guest
        parts = guest.parts(
            ("httpd_serve", PROGRAM_UNITS),
            ("web_request", 1),
            ("tcp_accept_call", 1),
            ("kernel_wake", 1),
            *client.costs,
        )
        guest.run(Work(parts, self._served, client, task=process))

    def _served(self, work: Work[Dialogue]) -> None:
        work.arg.send(work.task.vcpu)
        if self._waiting:
            self._accept(work.task, self._waiting.popleft())
        else:
            self._free.append(work.task)

    def _done(self, client: Dialogue) -> None:
        clock = self._site.clock
        self._requests += 1
        self._latency.add(clock.now - client.begun_ns)
        if self._site.domain.dying:
            return
        farewell(self._route, self._last_packets).begin()
        if not self._think_ns:
            client.begin()
            return
        think_ns = self._site.stream.uniform(2 * self._think_ns)
        clock.schedule(clock.now + think_ns, self._begin, client)

    def results(self) -> Mapping[str, Any]:
        """Return the requests, their rate, how long one takes, and the bytes of the files."""
        elapsed_ns = self._site.clock.now - self._started_ns
        return {
            "kind": "web",
            "requests": self._requests,
            "requests_per_second": self._requests * 1e9 / elapsed_ns if elapsed_ns else 0.0,
            "latency_seconds": self._latency.seconds(),
            "bytes": self._requests * self._file_bytes,
        }
