"""Keeps the runs that are finished, each from the moment on that it is."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from hypervisor.ownfiles import opener
from xenprof.disk import DISK, naming
from xenprof.errors import UsageError
from xenprof.experiment.identity import identity
from xenprof.experiment.job import Values
from xenprof.experiment.plan import Experiment
from xenprof.experiment.received import checked_values

NAME: Final = "runs.jsonl"


class Record:
    """The file of finished runs in a folder, a line for each, to which lines are only added.

    A line says of which model, variant and seed it is, so those of other experiments and models
    harm nobody, and are there again for whoever goes back to them.
    """

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        """Open the file; runs of the experiment that are in it need not be done again.

        Raises: OSError; UsageError: a running program writes it.
        """
        self.runs: dict[tuple[str, int], Values] = {}
        self._path = folder / NAME
        self._model = identity()
        self._file = open(self._path, "a+b", buffering=0, opener=opener)  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(self._file.fileno(), 0o600)
            DISK.sync(folder)
            self._take_over(experiment)
        except BlockingIOError:
            self._file.close()
            raise UsageError(f"{self._path}: another xenprof experiment writes it") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, digest: str, seed: int, values: Values) -> None:
        """Keep a run; it is on the disk when this returns. Raises: OSError."""
        line = {"model": self._model, "variant": digest, "seed": seed, "values": values}
        rest = memoryview(json.dumps(line).encode() + b"\n")
        with naming(self._path):
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        self.runs[digest, seed] = values

    def _take_over(self, experiment: Experiment) -> None:
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the last line is half where power was lost
        if len(whole) < len(data):
            self._file.truncate(len(whole))
        due = experiment.runs()
        for line in map(_parsed, whole.splitlines()):
            digest, seed = line.get("variant"), line.get("seed")
            if not (isinstance(digest, str) and isinstance(seed, int)):
                continue
            if line.get("model") == self._model and (digest, seed) in due:
                with contextlib.suppress(ValueError):
                    self.runs[digest, seed] = checked_values(line.get("values"), experiment)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
