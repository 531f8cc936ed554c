"""Keeps the library from telling what is its own business, and from watching its workers."""

import logging
from typing import Final

SETTINGS: Final = {
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.allowed-failures": 3,  # workers that a run may cost; judgement
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.pause": False,  # for ever, as nothing is spilled
    "distributed.worker.memory.terminate": 1.0,
}
"""What differs from the library's own configuration."""

LEVEL: Final = logging.CRITICAL + 1


def hush() -> None:
    """Tell nothing: what concerns a user, the program says."""
    mute = ("distributed", "tornado", "asyncio", "bokeh")
    below = (name for name in logging.root.manager.loggerDict if name.split(".")[0] in mute)
    for name in (*mute, *below):  # the library gives some of its own levels of their own
        logging.getLogger(name).setLevel(LEVEL)
