"""A reader of the running service's trace rings, for the programs that are one."""

import base64
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from xenprof.client import Client, ServiceError


class TraceClient:
    """One reader, from `with` to the end of it. `records` come as xentrace 3.0.3 writes them."""

    def __init__(self, client: Client, asked: Mapping[str, object]) -> None:
        """`asked`: what POST /api/v1/trace/start takes."""
        self._client = client
        self._asked = asked
        self._reader: int | None = None
        self.mhz = 0
        self.start_ns = 0

    def __enter__(self) -> Self:
        """Start it. Raises: ServiceError."""
        answer = self._client.post("/api/v1/trace/start", self._asked)
        self._reader = answer["reader"]
        self.mhz, self.start_ns = answer["mhz"], answer["time_ns"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, if that was not done."""
        try:
            self.stop()
        except ServiceError:
            if error is None:
                raise

    def wait(self, ns: int) -> None:
        """Let model time pass."""
        self._client.post("/api/v1/wait", {"seconds": ns / 1e9})

    def read(self) -> tuple[bytes, int]:
        """Return the records since the last time, and up to which model time that is."""
        return self._take("read")

    def stop(self) -> tuple[bytes, int]:
        """End the reader; return what was left."""
        if self._reader is None:
            return b"", self.start_ns
        taken = self._take("stop")
        self._reader = None
        return taken

    def _take(self, verb: str) -> tuple[bytes, int]:
        answer: dict[str, Any] = self._client.post(f"/api/v1/trace/{self._reader}/{verb}")
        return base64.b64decode(answer["records"]), answer["time_ns"]
