"""Tells the time of a host, and the processor time that reading it has taken."""

import time

_MONOTONIC_RAW = 4  # of Linux: it runs at the speed of the hypervisor's clock, uncorrected


class Clock:
    """The clocks of the kernel."""

    def now_ns(self) -> int:
        """Return the time since the host has booted."""
        return _ns(_MONOTONIC_RAW)

    def unix_ns(self) -> int:
        """Return the time since 1970."""
        return _ns(time.CLOCK_REALTIME)

    def thread_ns(self) -> int:
        """Return the processor time that this thread has used."""
        return _ns(time.CLOCK_THREAD_CPUTIME_ID)


def _ns(clock: int) -> int:
    return int(time.clock_gettime(clock) * 1000000000)
