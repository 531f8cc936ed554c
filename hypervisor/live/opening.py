"""Opens real hosts, and closes them again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from hypervisor.errors import HostError
from hypervisor.live.follower import Follower
from hypervisor.live.host import LiveHost
from hypervisor.live.sources.addresses import Address
from hypervisor.live.sources.indomain0 import InDomain0

FIRST_SECONDS: Final = 2.0
"""So long the first answers are waited for, of all hosts together; judgement."""
_LAST_SECONDS = 1.0


@contextmanager
def opened(addresses: Sequence[Address], period_ns: int) -> Iterator[list[LiveHost]]:
    """Read the hosts inside the block, each every `period_ns`; most have answered by then.

    Raises: HostError: what is to be read on this machine cannot be opened.
    """
    sources = [one.open() for one in addresses]
    followers = [
        Follower(one.name, one.shown, source, period_ns)
        for one, source in zip(addresses, sources, strict=True)
    ]
    hosts = [LiveHost(one) for one in followers]
    for host, source in zip(hosts, sources, strict=True):
        if isinstance(source, InDomain0):
            host.tracer = source.tracer(host.present_ns)
    try:
        for number, one in enumerate(followers):
            one.start(period_ns * number // len(followers))
        for one, left in zip(followers, _left(FIRST_SECONDS), strict=False):
            one.wait_first(left)
        yield hosts
    finally:
        for host in hosts:
            if host.tracer is not None:
                with suppress(HostError):  # another program has the buffers
                    host.tracer.set_masks(0, 0)
        for one in followers:
            one.stop()
        for one, left in zip(followers, _left(_LAST_SECONDS), strict=False):
            one.join(left)


def _left(seconds: float) -> Iterator[float]:
    """Yield again and again how many of these seconds are left."""
    until = time.monotonic() + seconds
    while True:
        yield max(until - time.monotonic(), 0)
