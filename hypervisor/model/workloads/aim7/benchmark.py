"""The workload aim7: all users of a run, and what it reports."""

from collections.abc import Mapping
from typing import Any, Final

from hypervisor.model.workloads.aim7.mixes import MIXES
from hypervisor.model.workloads.aim7.tests import FILES, OPERATIONS
from hypervisor.model.workloads.aim7.user import Deck, User
from hypervisor.model.workloads.base import Site, working_set_kib

_MINUTE_NS: Final = 60_000_000_000


class Aim7:
    """Runs `users` processes, each with lists of about a hundred tests of a mix."""

    def __init__(self, site: Site, mix: str, users: int, memory_mib: int | None = None) -> None:
        self._site = site
        self._jobs = 0
        self._tests = dict.fromkeys([*OPERATIONS, *FILES], 0)
        self._began_ns = 0
        guest = site.guest
        program = guest.code.paths[guest.path("aim7_arithmetic")].program or ""
        memory_kib = working_set_kib("aim7", memory_mib)
        deck = Deck(MIXES[mix], site.stream)
        file_bytes = MIXES[mix].file_bytes(users)
        self._users = [
            User(
                site,
                guest.spawn(program, 1, memory_kib if memory_mib is None else memory_kib // users)[
                    0
                ],
                number,
                file_bytes,
                deck,
                self._tested,
            )
            for number in range(users)
        ]

    def start(self) -> None:
        """Start the users at slightly different times."""
        self._began_ns = self._site.clock.now
        for user in self._users:
            delay_ns = self._site.stream.uniform(10_000_000)
            self._site.clock.schedule(self._site.clock.now + delay_ns, user.begin, None)

    def _tested(self, test: str) -> None:
        self._jobs += 1
        self._tests[test] += 1

    def results(self) -> Mapping[str, Any]:
        """Return the tests done, which AIM7 calls jobs, and its result."""
        elapsed_ns = self._site.clock.now - self._began_ns
        return {
            "kind": "aim7",
            "jobs": self._jobs,
            "lists": sum(user.lists for user in self._users),
            "jobs_per_minute": self._jobs * _MINUTE_NS / elapsed_ns if elapsed_ns else 0.0,
            "tests": {test: count for test, count in self._tests.items() if count},
        }
