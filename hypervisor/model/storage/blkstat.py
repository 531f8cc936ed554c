"""Counts as a kernel's block layer does: a disk's requests, and idle time waiting for disks.

Source: Linux 2.6.18, block/ll_rw_blk.c (disk_round_stats, end_that_request_last),
kernel/sched.c (io_schedule, account_steal_time).
"""

from collections.abc import Hashable

from hypervisor.model.domain.domain import Domain


class DiskUse:
    """Counts requests of one disk, from its kernel's queue until their answers are handled."""

    __slots__ = (
        "_busy_ns",
        "_queue_ns",
        "_since_ns",
        "in_flight",
        "read_bytes",
        "read_merges",
        "read_requests",
        "read_wait_ns",
        "write_bytes",
        "write_merges",
        "write_requests",
        "write_wait_ns",
    )

    def __init__(self) -> None:
        self.in_flight = 0
        self.read_requests = self.write_requests = 0  # answered
        self.read_merges = self.write_merges = 0
        self.read_bytes = self.write_bytes = 0
        self.read_wait_ns = self.write_wait_ns = 0
        self._since_ns = 0
        self._busy_ns = 0
        self._queue_ns = 0

    @property
    def wait_ns(self) -> int:
        """Return the total duration of the answered requests."""
        return self.read_wait_ns + self.write_wait_ns

    def begin(self, requests: int, now_ns: int) -> None:
        """Count `requests` that have been queued."""
        self._round(now_ns)
        self.in_flight += requests

    def merge(self, *, is_write: bool) -> None:
        """Count a request that became part of one that waits."""
        if is_write:
            self.write_merges += 1
        else:
            self.read_merges += 1

    def end(self, size_bytes: int, begun_ns: int, now_ns: int, *, is_write: bool) -> None:
        """Count the answer to one request."""
        self._round(now_ns)
        self.in_flight -= 1
        if is_write:
            self.write_requests += 1
            self.write_bytes += size_bytes
            self.write_wait_ns += now_ns - begun_ns
        else:
            self.read_requests += 1
            self.read_bytes += size_bytes
            self.read_wait_ns += now_ns - begun_ns

    def busy_ns(self, now_ns: int) -> int:
        """Return the time during which at least one request was outstanding."""
        return self._busy_ns + (now_ns - self._since_ns if self.in_flight else 0)

    def queue_ns(self, now_ns: int) -> int:
        """Return the time integral of the number of outstanding requests."""
        return self._queue_ns + self.in_flight * (now_ns - self._since_ns)

    def _round(self, now_ns: int) -> None:
        in_flight, passed_ns = self.in_flight, now_ns - self._since_ns
        if in_flight:
            self._busy_ns += passed_ns
            self._queue_ns += in_flight * passed_ns
        self._since_ns = now_ns


class _Sleepers:
    """The sleepers of one vcpu that wait for a disk: requests by sleeper."""

    __slots__ = ("blocked_ns", "counts", "waited_ns")

    def __init__(self) -> None:
        self.counts: dict[Hashable, int] = {}
        self.blocked_ns = 0  # blocked time of the vcpu when the first of them began
        self.waited_ns = 0


class IoWait:
    """Measures the idle time of a domain's vcpus while a task that slept there waits for a disk.

    It is exact: a vcpu's blocked time is a counter, so the part between the first request and the
    last answer is a difference.
    """

    __slots__ = ("_domain", "_sleepers")

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._sleepers: dict[int, _Sleepers] = {}

    def begin(self, vcpu_id: int, who: Hashable, now_ns: int) -> None:
        """Note that `who` has made a request on this vcpu."""
        sleepers = self._sleepers.get(vcpu_id)
        if sleepers is None:
            sleepers = self._sleepers[vcpu_id] = _Sleepers()
        if not sleepers.counts:
            sleepers.blocked_ns = self._blocked_ns(vcpu_id, now_ns)
        sleepers.counts[who] = sleepers.counts.get(who, 0) + 1

    def end(self, vcpu_id: int, who: Hashable, now_ns: int) -> None:
        """Note that `who` has got the answer to one of its requests."""
        sleepers = self._sleepers[vcpu_id]
        left = sleepers.counts[who] - 1
        if left:
            sleepers.counts[who] = left
            return
        del sleepers.counts[who]
        if not sleepers.counts:
            blocked_ns = self._blocked_ns(vcpu_id, now_ns)
            sleepers.waited_ns += blocked_ns - sleepers.blocked_ns

    def waited_ns(self, vcpu_id: int, now_ns: int) -> int:
        """Return the part of a vcpu's blocked time that was spent waiting for disks."""
        sleepers = self._sleepers.get(vcpu_id)
        if sleepers is None:
            return 0
        if not sleepers.counts:
            return sleepers.waited_ns
        return sleepers.waited_ns + self._blocked_ns(vcpu_id, now_ns) - sleepers.blocked_ns

    @property
    def sleepers(self) -> int:
        """Return the present number of sleepers on all vcpus."""
        return sum(len(one.counts) for one in self._sleepers.values())

    def _blocked_ns(self, vcpu_id: int, now_ns: int) -> int:
        return self._domain.vcpus[vcpu_id].runstate.blocked_ns(now_ns)
