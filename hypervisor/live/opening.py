"""Opens real hosts, and closes them again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from hypervisor.live.follower import Follower
from hypervisor.live.host import LiveHost
from hypervisor.live.sources.addresses import Address

FIRST_SECONDS: Final = 2.0
"""So long the first answers are waited for, of all hosts together; judgement."""
_LAST_SECONDS = 1.0


@contextmanager
def opened(addresses: Sequence[Address], period_ns: int) -> Iterator[list[LiveHost]]:
    """Read the hosts inside the block, each every `period_ns`; most have answered by then.

    Raises: HostError: what is to be read on this machine cannot be opened.
    """
    followers = [Follower(one.name, one.shown, one.open(), period_ns) for one in addresses]
    hosts = [LiveHost(one) for one in followers]
    try:
        for number, one in enumerate(followers):
            one.start(period_ns * number // len(followers))
        for one, left in zip(followers, _left(FIRST_SECONDS), strict=False):
            one.wait_first(left)
        yield hosts
    finally:
        for one in followers:
            one.stop()
        for one, left in zip(followers, _left(_LAST_SECONDS), strict=False):
            one.join(left)


def _left(seconds: float) -> Iterator[float]:
    """Yield again and again how many of these seconds are left."""
    until = time.monotonic() + seconds
    while True:
        yield max(until - time.monotonic(), 0)
