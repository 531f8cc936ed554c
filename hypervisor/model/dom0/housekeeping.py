"""Domain 0's housekeeping: xend and xenstored wake regularly."""

from typing import Final

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.timing.random_stream import RandomStream

# About half a percent of a pcpu, as an otherwise idle RHEL 5 domain 0 shows (judgement).
PERIOD_NS: Final = 200_000_000
XEND_KILOCYCLES: Final = 2500
XENSTORED_KILOCYCLES: Final = 500
DAEMONS: Final = {"background_dom0": "xend", "background_xenstored": "xenstored"}
"""Names of the daemons that run these paths."""


class Housekeeping:
    """A Python task (xend) and xenstored that wake five times a second."""

    def __init__(self, guest: Guest, stream: RandomStream) -> None:
        self._guest = guest
        self._stream = stream
        code = guest.code
        self._tasks = {
            path: guest.daemon(name, code.paths[code.index[path]].program or path)
            for path, name in DAEMONS.items()
        }

    def start(self) -> None:
        """Start the programs, which wake for the first time within a period."""
        for path in self._tasks:
            self._sleep(path)

    def _sleep(self, path: str) -> None:
        clock = self._guest.execution.clock
        delay_ns = PERIOD_NS // 2 + self._stream.uniform(PERIOD_NS)
        self._guest.wake_at(clock.now + delay_ns, self._tasks[path], self._work, path)

    def _work(self, path: str) -> Work[str]:
        kilocycles = XEND_KILOCYCLES if path == "background_dom0" else XENSTORED_KILOCYCLES
        return self._guest.work([(path, kilocycles)], self._done, path)

    def _done(self, work: Work[str]) -> None:
        self._sleep(work.arg)
