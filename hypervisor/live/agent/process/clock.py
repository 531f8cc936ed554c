"""Tells the time of a host, and the processor time that reading it has taken."""

import time

_MONOTONIC_RAW = 4  # of Linux: it runs at the speed of the hypervisor's clock, uncorrected


class Clock:
    """The clocks of the kernel."""

    def now_ns(self) -> int:
        """Return the time since the host has booted."""
        return int(time.clock_gettime(_MONOTONIC_RAW) * 1000000000)

    def unix_ns(self) -> int:
        """Return the time since 1970."""
        return int(time.clock_gettime(time.CLOCK_REALTIME) * 1000000000)

    def thread_ns(self) -> int:
        """Return the processor time that this thread has used."""
        return int(time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID) * 1000000000)
