"""Maps the pcpus of a host to sockets, cores and threads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topology:
    """Numbers pcpus as Xen 3.0 does on a hyper-threaded Xeon: threads of a core are neighbours.

    pcpu = (socket * cores_per_socket + core) * threads_per_core + thread.
    """

    sockets: int
    cores_per_socket: int
    threads_per_core: int

    @property
    def pcpus(self) -> int:
        """Return the number of logical processors."""
        return self.sockets * self.cores_per_socket * self.threads_per_core

    def thread(self, pcpu: int) -> int:
        """Return the thread number of `pcpu` inside its core."""
        return pcpu % self.threads_per_core

    def core(self, pcpu: int) -> int:
        """Return the core number of `pcpu` inside its socket."""
        return pcpu // self.threads_per_core % self.cores_per_socket

    def socket(self, pcpu: int) -> int:
        """Return the socket number of `pcpu`."""
        return pcpu // (self.threads_per_core * self.cores_per_socket)

    def siblings(self, pcpu: int) -> tuple[int, ...]:
        """Return the pcpus of the same core, `pcpu` included (Xen's cpu_sibling_map)."""
        first = pcpu - self.thread(pcpu)
        return tuple(range(first, first + self.threads_per_core))

    def package(self, pcpu: int) -> tuple[int, ...]:
        """Return the pcpus of the same socket, `pcpu` included (Xen's cpu_core_map)."""
        size = self.threads_per_core * self.cores_per_socket
        first = self.socket(pcpu) * size
        return tuple(range(first, first + size))
