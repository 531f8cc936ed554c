"""Waits for runs that are done elsewhere, as long as there is somebody to do them."""

from collections.abc import Collection, Iterator
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from xenprof.experiment.errors import RunFailed

if TYPE_CHECKING:
    from distributed import Client, Future

    _Future: TypeAlias = Future[Any]

GONE: Final = "the scheduler is gone; what is finished is kept: type the same again to go on"
LOOK_SECONDS: Final = 5
PATIENCE_SECONDS: Final = 60
"""How often is looked for workers, and how long there may be none that answers; judgement."""


def finished(futures: "Collection[_Future]", client: "Client") -> "Iterator[_Future]":
    """Yield futures as they are done. Raises: RunFailed: nobody is there any more to do them."""
    done: SimpleQueue[_Future] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)  # type: ignore[no-untyped-call]
    for _ in futures:
        yield _next(done, client)


def _next(done: "SimpleQueue[_Future]", client: "Client") -> "_Future":
    seen = monotonic()
    while True:
        try:
            return done.get(timeout=LOOK_SECONDS)
        except Empty:
            if _has_workers(client):
                seen = monotonic()
            elif monotonic() - seen >= PATIENCE_SECONDS:
                raise RunFailed(
                    f"there is no worker for {PATIENCE_SECONDS} s now; what is finished is kept: "
                    "type the same again to go on"
                ) from None


def _has_workers(client: Any) -> bool:
    try:
        found = client.sync(client.scheduler.identity, n_workers=0, callback_timeout=LOOK_SECONDS)
    except OSError:  # of which those of dask and of time are
        return False
    return bool(found["n_workers"])
