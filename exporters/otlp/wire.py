"""Writes the messages of OTLP that are sent in thousands, as bytes.

The official classes make an object of each point and each attribute; joining bytes that are kept
from one push to the next takes a tenth of the time. Field numbers are those of
opentelemetry/proto/{metrics,common}/v1/*.proto; tests parse the bytes with the official classes.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

from xenprof.report.formats.protobuf import number, packed, piece, varint

Attributes = Mapping[str, str | int]

DELTA, CUMULATIVE = 1, 2
"""Values of AggregationTemporality."""

_FIXED = struct.Struct("<BQ").pack
_DOUBLE = struct.Struct("<Bd").pack
_SIGNED = struct.Struct("<Bq").pack
_START, _TIME, _COUNT = 2 << 3 | 1, 3 << 3 | 1, 4 << 3 | 1
_SUM = 5 << 3 | 1
_AS_DOUBLE, _AS_INT = 4 << 3 | 1, 6 << 3 | 1
_INT_VALUE = bytes([3 << 3])
FIELD_BYTES = 9
"""The length of a time or a value, with its tag."""
_POINT = bytes([1 << 3 | 2])


def text(field: int, value: str) -> bytes:
    """Return a field that holds a string."""
    return piece(field, _utf8(value))


def sound(value: str) -> str:
    """Return a text that is UTF-8 for certain, for the official classes."""
    return value if value.isascii() else _utf8(value).decode()


def _utf8(value: str) -> bytes:
    """Return a text in UTF-8; what is none in a name is shown as Python's escapes.

    So it is for Prometheus: two names stay two.
    """
    return value.encode("utf-8", "backslashreplace")


def attributes(field: int, values: Attributes) -> bytes:
    """Return a field of KeyValue messages."""
    return b"".join(piece(field, text(1, key) + piece(2, _any(one))) for key, one in values.items())


def _any(value: str | int) -> bytes:
    # A number is written even if it is 0: the field says which kind of value there is.
    return text(1, value) if isinstance(value, str) else _INT_VALUE + varint(value)


def start(start_ns: int) -> bytes:
    """Return the field of a point's start."""
    return _FIXED(_START, start_ns)


def time(now_ns: int) -> bytes:
    """Return the field of a point's time."""
    return _FIXED(_TIME, now_ns)


def number_head(attributes: bytes, *, has_start: bool) -> bytes:
    """Return the beginning of a NumberDataPoint, which fields of start, time and value follow."""
    length = len(attributes) + (3 if has_start else 2) * FIELD_BYTES
    return _POINT + varint(length) + attributes


def value(number: float) -> bytes:
    """Return the field of a NumberDataPoint's value."""
    if isinstance(number, int):
        return _SIGNED(_AS_INT, number)
    return _DOUBLE(_AS_DOUBLE, number)


def counted(counts: Sequence[int], total: float) -> bytes:
    """Return the fields of count and sum, which both kinds of histogram have."""
    return _FIXED(_COUNT, sum(counts)) + _DOUBLE(_SUM, total)


def buckets(counts: Sequence[int]) -> bytes:
    """Return the field of an explicit histogram's counts."""
    return piece(6, struct.pack(f"<{len(counts)}Q", *counts))


def bounds(values: Sequence[float]) -> bytes:
    """Return the field of an explicit histogram's bounds."""
    return piece(7, struct.pack(f"<{len(values)}d", *values))


def exemplar(seconds: float, unix_ns: int, trace_id: bytes, span_id: bytes) -> bytes:
    """Return an Exemplar; `trace_id` and `span_id` are empty if there is no trace."""
    made = _FIXED(2 << 3 | 1, unix_ns) + _DOUBLE(3 << 3 | 1, seconds)
    if trace_id:
        made += piece(4, span_id) + piece(5, trace_id)
    return made


def exponential(scale: int, offset: int, counts: Sequence[int]) -> bytes:
    """Return the fields of an exponential histogram's buckets."""
    return _signed(6, scale) + piece(8, _signed(1, offset) + packed(2, counts))


def _signed(field: int, signed: int) -> bytes:
    """Return a field of type sint32."""
    return number(field, signed << 1 if signed >= 0 else (-signed << 1) - 1)


def sum_data(points: Iterable[bytes], temporality: int, *, is_monotonic: bool) -> bytes:
    """Return the field `sum` of a Metric."""
    tail = number(2, temporality) + number(3, is_monotonic)
    return piece(7, b"".join(points) + tail)


def gauge_data(points: Iterable[bytes]) -> bytes:
    """Return the field `gauge` of a Metric."""
    return piece(5, b"".join(points))


def histogram_data(points: Iterable[bytes], temporality: int) -> bytes:
    """Return the field `histogram` of a Metric."""
    return piece(9, b"".join(points) + number(2, temporality))


def exponential_data(points: Iterable[bytes], temporality: int) -> bytes:
    """Return the field `exponential_histogram` of a Metric."""
    return piece(10, b"".join(points) + number(2, temporality))
