"""Makes the ids of spans from the trace id, which exemplars and log records name too."""

from hashlib import blake2b

SPAN_ID_BYTES = 8


def span_id(trace_id: str, number: int = 0) -> bytes:
    """Return the id of a span of a trace; 0 is its root. The same span has always the same."""
    return blake2b(f"{trace_id}/{number}".encode(), digest_size=SPAN_ID_BYTES).digest()
