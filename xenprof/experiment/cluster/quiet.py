"""Keeps the library from telling what is its own business, and from watching its workers."""

import logging
from typing import Final

SETTINGS: Final = {
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.allowed-failures": 3,  # workers that a run may cost
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
}
"""What differs from the library's own configuration."""

LEVEL: Final = logging.CRITICAL + 1


def hush() -> None:
    """Tell nothing: what concerns a user, the program says."""
    for name in ("distributed", "tornado", "asyncio", "bokeh"):
        logging.getLogger(name).setLevel(LEVEL)
