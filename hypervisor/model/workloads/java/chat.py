"""A chat server and its clients, both here, as in VolanoMark: what one says is sent to all.

A room has 20 users with a connection each, at both ends of which a thread reads and another one
writes. There is always more to do than processors: as many lots of messages are under way.
"""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.codebook.work import TaskIdentity, Work
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.java.heap import Heap

JAVA: Final = "/usr/java/jdk1.5.0_09/jre/bin/java"
USERS: Final = 20  # of a room. Source: VolanoMark
LOT_MESSAGES: Final = 25  # of one piece of work: about half a millisecond (judgement)
ALLOCATED_BYTES: Final = 2048  # for a message that is delivered (judgement)
CONNECTION_KIB: Final = 256  # stacks and buffers of its threads (judgement)
MACHINE_MIB: Final = 40  # of the machine itself: code and what it has compiled (judgement)


class Chat:
    """Delivers messages, and stops for collections."""

    def __init__(
        self,
        site: Site,
        rooms: int,
        heap_mib: int,
        collector_threads: int,
        memory_mib: int | None = None,
    ) -> None:
        """`collector_threads` 0: one for each vcpu that is online."""
        self._site = site
        self._heap = Heap(heap_mib)
        self._collector_threads = collector_threads
        memory_kib = (heap_mib + MACHINE_MIB) * 1024 + rooms * USERS * CONNECTION_KIB
        if memory_mib is not None:
            memory_kib = memory_mib * 1024
        vcpus = len(site.domain.vcpus)
        self._threads = site.guest.spawn(JAVA, max(vcpus, collector_threads), memory_kib)
        self._busy = self._threads[:vcpus]  # those that deliver messages
        self._stopped = 0  # of them, for a collection
        self._collecting = 0  # threads of the collector that are not done
        self._stopped_ns = 0
        self._collected_ns = 0
        self._started_ns = 0
        self._messages = 0

    def start(self) -> None:
        """Start the threads at slightly different times."""
        clock = self._site.clock
        self._started_ns = clock.now
        for thread in self._busy:
            clock.schedule(clock.now + self._site.stream.uniform(10_000_000), self._begin, thread)

    def _begin(self, thread: TaskIdentity) -> None:
        """Deliver a lot, or stop where all have to."""
        if self._site.domain.dying:
            return
        if self._heap.is_full:
            self._stop()
            return
        guest = self._site.guest
        self._heap.allocated_bytes += LOT_MESSAGES * ALLOCATED_BYTES
        parts = guest.parts(("java_message", LOT_MESSAGES))
        guest.run(Work(parts, self._delivered, None, task=thread))

    def _delivered(self, work: Work[None]) -> None:
        self._messages += LOT_MESSAGES
        self._begin(work.task)

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped_ns = self._site.clock.now
        self._stopped += 1
        if self._stopped == len(self._busy):
            self._collect()

    def _collect(self) -> None:
        guest = self._site.guest
        online = sum(vcpu.online for vcpu in self._site.domain.vcpus)
        threads = self._threads[: self._collector_threads or online]
        self._collecting = len(threads)
        each_kib = -(-self._heap.collect() // len(threads))
        for thread in threads:
            parts = guest.parts(("java_collect", each_kib), ("kernel_wake", 1))
            guest.run(Work(parts, self._collected, None, task=thread))

    def _collected(self, _: Work[None]) -> None:
        self._collecting -= 1
        if self._collecting:
            return
        self._collected_ns += self._site.clock.now - self._stopped_ns
        self._stopped = 0
        for thread in self._busy:
            self._begin(thread)

    def results(self) -> Mapping[str, Any]:
        """Return the messages delivered, their rate, and what collections took."""
        elapsed_ns = self._site.clock.now - self._started_ns
        return {
            "kind": "java",
            "messages": self._messages,
            "messages_per_second": self._messages * 1e9 / elapsed_ns if elapsed_ns else 0.0,
            "collections": self._heap.collections,
            "collected_seconds": self._collected_ns / 1e9,
        }
