"""Fits streams and disk requests to the traffic of a domain's devices."""

import math
from collections.abc import Iterator, Sequence

from hypervisor.telemetry.unknown import total
from xenprof.capture.draft import Note, Settings, Value
from xenprof.capture.window import DiskUse, DomainUse, Flow

HEADERS_BYTES = 66  # Ethernet, IP and TCP with timestamps: what a packet has besides data
LEAST_BITS_PER_SECOND = 1_000
LEAST_PER_SECOND = 0.5  # of requests; a workload's rate is a whole number
_MESSAGE_BYTES = 16_384
_MESSAGES_PER_SECOND = 5  # at least, so that a slow stream is seen in a short run
_LOTS_PER_SECOND = 50  # judgement: a disk of the model answers one lot in less than 20 ms
_MOST_IN_A_LOT = 256
_SECTOR_BYTES = 512
_MOST_BLOCK_BYTES = 2**22
_MOST_RATE = 10**12


def streams(use: DomainUse, about: str) -> tuple[list[Settings], list[Note]]:
    """Return the streams of a domain; what they cannot be is told."""
    works: list[Settings] = []
    notes: list[Note] = []
    for direction, flows in (("receive", use.received), ("transmit", use.transmitted)):
        if not flows:
            continue
        sent, packets = _sum(flows)
        if sent is None or packets is None:
            notes.append(Note(about, f"what its interfaces {direction} is unknown: nothing"))
            continue
        bits = round(8 * max(0.0, sent - packets * HEADERS_BYTES))
        if bits >= LEAST_BITS_PER_SECOND:
            works.append(_stream(direction, min(bits, _MOST_RATE)))
            if sum((flow.per_second or 0) > 0 for flow in flows) > 1:
                notes.append(Note(about, f"all its interfaces {direction}: its first one, for all"))
    return works, notes


def _stream(direction: str, bits: int) -> Settings:
    message = min(_MESSAGE_BYTES, max(1, bits // 8 // _MESSAGES_PER_SECOND))
    work: dict[str, Value] = {"kind": "netperf", "direction": direction}
    if message != _MESSAGE_BYTES:
        work["message_bytes"] = message
    return work | {"rate_bits_per_second": bits, "memory_mib": 0}


def requests(disks: Sequence[DiskUse], about: str) -> tuple[list[Settings], list[Note]]:
    """Return the requests to a domain's disks, all of them to its first one."""
    works: list[Settings] = []
    notes: list[Note] = []
    for op, flows in (("read", [d.reads for d in disks]), ("write", [d.writes for d in disks])):
        if not flows:
            continue
        moved, asked = _sum(flows)
        if asked is None:
            notes.append(Note(about, f"its {op} requests are unknown: none"))
        elif asked >= LEAST_PER_SECOND:
            works.append(_blocks(op, min(asked, _MOST_RATE), moved, disks))
            notes += _about_blocks(op, moved, flows, about)
        elif asked:
            notes.append(Note(about, f"{asked:.2g} {op} requests a second: left out"))
    return works, notes


def _blocks(op: str, asked: float, moved: float | None, disks: Sequence[DiskUse]) -> Settings:
    work: dict[str, Value] = {"kind": "fileio", "op": op, "pattern": "sequential"}
    if moved is not None:
        sectors = round(moved / asked / _SECTOR_BYTES)
        work["block_bytes"] = min(max(1, sectors) * _SECTOR_BYTES, _MOST_BLOCK_BYTES)
    at_once = max((disk.outstanding or 1 for disk in disks), default=1)
    depth = max(math.ceil(at_once), math.ceil(asked / _LOTS_PER_SECOND))
    rate = max(1, round(asked))
    return work | {
        "queue_depth": min(depth, rate, _MOST_IN_A_LOT),
        "rate_per_second": rate,
        "memory_mib": 0,
    }


def _about_blocks(
    op: str, moved: float | None, flows: Sequence[Flow], about: str
) -> Iterator[Note]:
    yield Note(about, f"whether it {op}s at random is unknown: in sequence")
    if moved is None:
        yield Note(about, f"the size of its {op} requests is unknown: the default")
    if sum((flow.per_second or 0) > 0 for flow in flows) > 1:
        yield Note(about, f"several of its disks {op}: its first one, for all")


def _sum(flows: Sequence[Flow]) -> tuple[float | None, float | None]:
    """Return the bytes and the things in a second, over all devices."""
    return total(one.bytes_per_second for one in flows), total(one.per_second for one in flows)
