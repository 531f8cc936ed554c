"""A reader of the running service's trace rings, for the programs that read a trace."""

import base64
from types import TracebackType
from typing import Self

from xenprof.client import Client, ServiceError
from xenprof.wire.host_requests import Wait
from xenprof.wire.trace import ReadTrace, StartTrace, StopTrace, TraceStarted, TraceTaken


class TraceClient:
    """One reader, registered during its `with`. Records come in the form that `form` names."""

    def __init__(self, client: Client, asked: StartTrace) -> None:
        """The service is not asked before `with`."""
        self._client = client
        self._asked = asked
        self._reader: int | None = None
        self.mhz = 0
        self.form = ""  # a name of xenprof.trace.forms
        self.start_ns = 0

    def __enter__(self) -> Self:
        """Register the reader. Raises: ServiceError."""
        started = self._client.ask(self._asked, TraceStarted)
        self._reader = started.reader
        self.mhz, self.start_ns, self.form = started.mhz, started.time_ns, started.form
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the reader if it has not ended."""
        try:
            self.stop()
        except ServiceError:
            if error is None:
                raise

    def wait(self, ns: int) -> None:
        """Let model time pass."""
        self._client.do(Wait(ns / 1e9))

    def read(self) -> tuple[bytes, int]:
        """Return the records since the last call, and the model time that they reach."""
        return self._take(ReadTrace())

    def stop(self) -> tuple[bytes, int]:
        """End the reader; return the records that were left."""
        if self._reader is None:
            return b"", self.start_ns
        taken = self._take(StopTrace())
        self._reader = None
        return taken

    def _take(self, request: ReadTrace) -> tuple[bytes, int]:
        taken = self._client.ask(request, TraceTaken, str(self._reader))
        return base64.b64decode(taken.records), taken.time_ns
