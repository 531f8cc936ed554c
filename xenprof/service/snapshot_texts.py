"""Encodes snapshots as JSON in a thread of its own, each once however many clients ask for it."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

from hypervisor.telemetry import HostSnapshot
from xenprof.wire.codec import encode


class SnapshotTexts:
    """The texts of the last snapshot of each host that was asked for.

    That of 1000 domains takes a quarter of a second, in which the web servers go on.
    """

    def __init__(self) -> None:
        """Encode nothing before it is asked for."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._last: dict[str, tuple[HostSnapshot, Future[bytes]]] = {}

    async def text(self, snapshot: HostSnapshot) -> bytes:
        """Return the JSON text of a snapshot. It is the web servers' thread that asks."""
        last, future = self._last.get(snapshot.host, (None, None))
        if last is not snapshot or future is None:
            future = self._thread.submit(_encoded, snapshot)
            self._last[snapshot.host] = (snapshot, future)
        # Others may wait for it too, so it goes on without whoever leaves.
        return await asyncio.shield(asyncio.wrap_future(future))


def _encoded(snapshot: HostSnapshot) -> bytes:
    return encode(snapshot).encode()
