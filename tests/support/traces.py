"""Traces for the tests: that of a real Xen, and small ones made by hand."""

import gzip
import io
import json
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypervisor.live.agent.tracing.rings import Window
from hypervisor.telemetry import TraceRecord
from tests.support.paths import TESTS
from xenprof.trace.reading import TraceFile
from xenprof.trace.records import Records, joined
from xenprof.trace.xentrace4 import CPU_CHANGE

FIXTURES = TESTS / "fixtures" / "xentrace"
MS = 1_000_000


@cache
def real_bytes() -> bytes:
    return gzip.decompress((FIXTURES / "sched-5s.bin.gz").read_bytes())


@cache
def real_facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((FIXTURES / "sched-5s.json").read_text())
    return facts


def opened(data: bytes, name: str = "a.bin") -> TraceFile:
    return TraceFile(io.BytesIO(data), name)


def read(data: bytes) -> tuple[Records, int]:
    """Return all records in the order of the file, and the bytes skipped."""
    trace = opened(data)
    parts = list(trace.chunks())
    return joined(parts), trace.skipped_bytes


def row(time_ns: int, event: int, *data: int, pcpu: int = 0) -> TraceRecord:
    return TraceRecord(time_ns, pcpu, event, data)


def window(pcpu: int, *words: int) -> bytes:
    """Return a window of xentrace 4 around words."""
    body = b"".join(word.to_bytes(4, "little") for word in words)
    head = (CPU_CHANGE, pcpu, len(body))
    return b"".join(word.to_bytes(4, "little") for word in head) + body


def timed(event: int, tsc: int, *data: int) -> tuple[int, ...]:
    """Return the words of a record of xentrace 4 that has a tsc."""
    return (1 << 31 | len(data) << 28 | event, tsc & 0xFFFFFFFF, tsc >> 32, *data)


def rounds_of(data: bytes) -> Iterator[list[Window]]:
    """Yield the windows of a file of xentrace 4, as its rounds through the rings wrote them."""
    at, found = 0, list[Window]()
    while at < len(data):
        _, pcpu, size = struct.unpack_from("<III", data, at)
        if found and found[-1].pcpu >= pcpu:
            yield found
            found = []
        found.append(Window(pcpu, data[at + 12 : at + 12 + size]))
        at += 12 + size
    yield found
