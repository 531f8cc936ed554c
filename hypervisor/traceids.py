"""Makes the trace ids under which operations and profiling sessions are found again."""

import hashlib

_DIGITS = 32  # of a trace id: 16 bytes, as W3C's trace context and OpenTelemetry have it


def boot_name(host: str, epoch_ns: int) -> str:
    """Return the name of one boot of a host: serials begin anew with each of them."""
    return f"{host}@{epoch_ns}"


def trace_id(host: str, kind: str, serial: int) -> str:
    """Return the 32 hexadecimal digits that stand for one operation or session, always the same.

    `host` is the name of the host's boot (see `boot_name`), so that no two boots share an id;
    `kind` says whose serials these are (operation, session).
    """
    return hashlib.sha256(f"{host}/{kind}/{serial}".encode()).hexdigest()[:_DIGITS]
