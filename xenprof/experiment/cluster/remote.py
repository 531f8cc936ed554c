"""Uses the workers of a scheduler elsewhere; that they have our model, each run makes sure."""

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

import dask
from distributed import Client

from xenprof.experiment.cluster.quiet import hush
from xenprof.experiment.cluster.waiting import PATIENCE_SECONDS
from xenprof.experiment.errors import RunFailed, one_line

_PATIENCE_SECONDS: Final = 5  # judgement: a scheduler answers in milliseconds
_SAME: Final = ("dask", "distributed")  # in other versions they do not understand each other


@contextlib.contextmanager
def remote(address: str) -> Iterator[Client]:
    """Yield a client of the scheduler at an address, such as `tcp://HOST:8786`.

    Certificates for `tls://` are those of dask's own configuration. Raises: RunFailed.
    """
    hush()
    dask.config.set({"distributed.comm.timeouts.connect": f"{_PATIENCE_SECONDS}s"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions, which are looked at below
        client = _connected(address)
        try:
            check_versions(_versions(client, address), address)
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=_PATIENCE_SECONDS)  # type: ignore[no-untyped-call]


def _connected(address: str) -> Client:
    try:
        return Client(  # type: ignore[no-untyped-call]
            address, timeout=_PATIENCE_SECONDS, set_as_default=False
        )
    except (OSError, TimeoutError):
        raise RunFailed(
            f"no dask scheduler answers at {address} within {_PATIENCE_SECONDS} s"
        ) from None
    except Exception as error:  # of an address that is none, or of another protocol
        shown = address or "an empty address"
        raise RunFailed(f"the scheduler at {shown} cannot be used: {one_line(error)}") from None


def _versions(client: Client, address: str) -> Any:
    try:
        return client.sync(  # type: ignore[no-untyped-call]
            client.get_versions, callback_timeout=PATIENCE_SECONDS
        )
    except OSError:  # of which those of dask and of time are
        raise RunFailed(
            f"the scheduler at {address}, or a worker of it, does not answer within "
            f"{PATIENCE_SECONDS} s"
        ) from None


def check_versions(versions: Any, address: str) -> None:
    """Check that a scheduler has workers, and all of them the versions of dask and Python here.

    `versions` is what `Client.get_versions` returns. Raises: RunFailed.
    """
    ours = versions["client"]["packages"]
    theirs: dict[str, Mapping[str, Any]] = {f"the scheduler at {address}": versions["scheduler"]}
    theirs |= {f"worker {name}": one for name, one in versions["workers"].items()}
    if len(theirs) == 1:
        raise RunFailed(f"the scheduler at {address} has no workers")
    for who, known in theirs.items():
        packages = known["packages"]
        for package in _SAME:
            if packages[package] != ours[package]:
                raise RunFailed(
                    f"{who} has {package} {packages[package]}, and here is {ours[package]}"
                )
        if _minor(packages["python"]) != _minor(sys.version):
            raise RunFailed(f"{who} has Python {packages['python']}; here is {_minor(sys.version)}")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
