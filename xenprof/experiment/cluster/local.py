"""Makes a cluster of worker processes on this machine, which nobody else can reach."""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any, Final

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster, Worker

from xenprof.experiment.cluster import sockets
from xenprof.experiment.cluster.folder import own_folder
from xenprof.experiment.cluster.quiet import LEVEL, SETTINGS, hush
from xenprof.experiment.errors import RunFailed, one_line
from xenprof.workers import deaf_to_interrupts

MEMORY_BYTES: Final = 2**30
"""A worker that needs more is ended, and its run repeated; judgement, five times what one has."""


class _Scheduler(Scheduler):
    """A scheduler without a web page."""

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """Open no port."""


class _Worker(Worker):
    """A worker without a web page, deaf to Ctrl-C, which is the business of its parent."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        hush()
        super().__init__(*arguments, **options)

    def start_http_server(self, *arguments: Any, **options: Any) -> None:
        """Open no port."""


@contextlib.contextmanager
def local(workers: int) -> Iterator[Client]:
    """Yield a client of as many worker processes; all is gone afterwards. Raises: RunFailed."""
    hush()
    with own_folder() as folder:
        dask.config.refresh(paths=[], env={})  # nothing of ~/.config/dask has a say here
        dask.config.set({**SETTINGS, sockets.FOLDER: folder, "temporary-directory": folder})
        cluster = None
        try:
            with deaf_to_interrupts():
                cluster = _cluster(workers, folder)
            client = Client(cluster, set_as_default=False)  # type: ignore[no-untyped-call]
            with client:
                yield client
        except BaseException:
            if cluster is not None:
                _kill(cluster)
            raise
        finally:
            if cluster is not None:
                with deaf_to_interrupts():  # who types Ctrl-C again does not make it longer
                    cluster.close()


def _cluster(workers: int, folder: str) -> SpecCluster:
    place = {"host": sockets.HOST, "protocol": f"{sockets.SCHEME}://", "dashboard": False}
    worker = {
        "cls": Nanny,
        "options": {
            **place,
            "worker_class": _Worker,
            "nthreads": 1,
            "memory_limit": MEMORY_BYTES,
            "local_directory": folder,
            "silence_logs": LEVEL,
        },
    }
    try:
        return SpecCluster(  # type: ignore[no-untyped-call]
            scheduler={"cls": _Scheduler, "options": place},
            workers=dict.fromkeys(range(workers), worker),
            silence_logs=LEVEL,
        )
    except (OSError, RuntimeError) as error:  # the latter is what the library makes of any
        root: BaseException = error
        while cause := root.__cause__ or root.__context__:
            root = cause
        raise RunFailed(f"worker processes cannot be started: {one_line(root)}") from None


def _kill(cluster: SpecCluster) -> None:
    """End worker processes where they are: a run may take a minute."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)
