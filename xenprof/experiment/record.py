"""Keeps the runs that are finished, each from the moment on that it is."""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from hypervisor.ownfiles import opener
from xenprof.errors import UsageError
from xenprof.experiment.identity import identity
from xenprof.experiment.job import Values
from xenprof.experiment.plan import Experiment
from xenprof.experiment.received import checked_values

NAME: Final = "runs.jsonl"


class Record:
    """The file of finished runs in a folder: a line that says of what, and a line for each."""

    def __init__(self, folder: Path, experiment: Experiment, *, resumes: bool) -> None:
        """Open the file; what is in it is taken over, or begun anew.

        Raises: OSError; UsageError: it belongs to another experiment, model or running program.
        """
        self.runs: dict[tuple[str, int], Values] = {}
        self._path = folder / NAME
        self._file = open(self._path, "a+b", buffering=0, opener=opener)  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            head = {"experiment": experiment.digest(), "model": identity(), "name": experiment.name}
            if resumes:
                self._take_over(head, experiment)
            else:
                self._file.truncate(0)
            if not self._file.seek(0, os.SEEK_END):
                self._write(head)
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
        self._write({"variant": digest, "seed": seed, "values": values})
        self.runs[digest, seed] = values

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())

    def _take_over(self, head: dict[str, Any], experiment: Experiment) -> None:
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the last line is half where power was lost
        if len(whole) < len(data):
            self._file.truncate(len(whole))
        lines = whole.splitlines()
        if not lines:
            return
        found = _parsed(lines[0])
        if found.get("experiment") != head["experiment"]:
            raise UsageError(
                f"{self._path}: cannot resume: it is of another experiment, or of this one with "
                "other variants or times"
            )
        if found.get("model") != head["model"]:
            raise UsageError(f"{self._path}: cannot resume: the model has changed since")
        for line in map(_parsed, lines[1:]):
            digest, seed = line.get("variant"), line.get("seed")
            with contextlib.suppress(ValueError):
                if isinstance(digest, str) and isinstance(seed, int):
                    self.runs[digest, seed] = checked_values(line.get("values"), experiment)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
