"""Why a domain has shut down. Source: xen/include/public/sched.h, SHUTDOWN_*; `halt` is xend's."""

from typing import Final

POWEROFF, REBOOT, SUSPEND, CRASH, HALT = range(5)

REASONS: Final = ("poweroff", "reboot", "suspend", "crash", "halt")
"""Their words in xend and in the store."""
