"""Benchmark of traces: the cost of recording in the model, and the speed of summing up a file.

The peer of the summary is the least that a program in plain Python could do with the file: to
unpack every record with `struct` and ignore it.
"""

import io
from struct import iter_unpack
from time import perf_counter

import numpy as np

from hypervisor.model.machine import Machine, build
from hypervisor.model.scenario.spec import load_scenario
from hypervisor.telemetry import TraceRecord
from hypervisor.trace_events import ALL
from tests.bench.table import Row
from xenprof.trace.reading import TraceFile
from xenprof.trace.summary import summarise
from xenprof.trace.xentrace30 import encode

ROUNDS = 5
SECOND_NS = 1_000_000_000
STEP_NS = 100_000_000  # the interval between reads
SECONDS = 10
FILE_RECORDS = 500_000
RING_PAGES = 1024  # so that nothing is lost
RECORD = "<IQII5Q"
TSC = np.dtype({"names": ["tsc"], "formats": ["<u8"], "offsets": [4], "itemsize": 60})


def run() -> list[Row]:
    """Return the rows; sides take turns, so that a busy machine slows them alike."""
    plain, traced = _host(), _host()
    traced.tracer.set_ring_pages(RING_PAGES)
    traced.tracer.set_masks(ALL, (1 << 64) - 1)
    off, on, rates = [], [], []
    records: list[TraceRecord] = []
    for _ in range(ROUNDS):
        off.append(_seconds(plain, []))
        before = len(records)
        on.append(_seconds(traced, records))
        rates.append((len(records) - before) / on[-1])
    assert not sum(traced.tracer.status().lost)
    theirs, ours = _read(_file(encode(records, traced.scenario.host.mhz), len(records)))
    name = f"grumble, {SECONDS} s with all trace events read"
    return [
        Row(name, "trace off", off, on, "s"),
        Row("trace --summary of its file", "iter_unpack alone", theirs, ours, "records/s", True),
        Row("records while it is traced", "real time", [_per_second(records)], rates, "1/s", True),
    ]


def _host() -> Machine:
    host = build(load_scenario("grumble"), epoch_ns=0)
    host.advance(SECOND_NS)
    return host


def _seconds(host: Machine, records: list[TraceRecord]) -> float:
    """Return the wall seconds of a stretch of model time, with a reader."""
    started = perf_counter()
    end_ns = host.now_ns + SECONDS * SECOND_NS
    while host.now_ns < end_ns:
        host.advance(host.now_ns + STEP_NS)
        records.extend(host.tracer.read())
    return perf_counter() - started


def _per_second(records: list[TraceRecord]) -> float:
    """Return the number of records per second of model time."""
    return len(records) / (ROUNDS * SECONDS)


def _file(data: bytes, records: int) -> bytes:
    """Return a longer trace: the same one repeated, each time later."""
    copies = -(-FILE_RECORDS // records)
    longer = bytearray(data * copies)
    tsc = np.frombuffer(longer, TSC)["tsc"]
    span = int(tsc.max()) - int(tsc.min()) + 1
    tsc += np.repeat(np.arange(copies, dtype=np.uint64) * np.uint64(span), records)
    return bytes(longer)


def _read(data: bytes) -> tuple[list[float], list[float]]:
    """Return records per second of the peer and of xenprof."""
    theirs, ours = [], []
    for _ in range(ROUNDS):
        started = perf_counter()
        count = sum(1 for _ in iter_unpack(RECORD, data))
        theirs.append(count / (perf_counter() - started))
        started = perf_counter()
        trace = TraceFile(io.BytesIO(data), "bench")
        summary = summarise(trace.ordered()).finish(trace.format, trace.skipped_bytes)
        assert summary.records == count
        ours.append(count / (perf_counter() - started))
    return theirs, ours
