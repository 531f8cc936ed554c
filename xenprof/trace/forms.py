"""Tells in which form the records of a host are passed on and written: that of its own xentrace.

Records of Xen 4 have up to seven words and other events, so they have the form of its xentrace.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hypervisor.telemetry import TraceRecord
from xenprof.trace import xentrace4_writing as later
from xenprof.trace import xentrace30 as first
from xenprof.trace.records import Records


@dataclass(frozen=True, slots=True)
class Form:
    """One form of trace files; the tsc in them counts cycles of a processor of some MHz."""

    name: str
    encode: Callable[[Iterable[TraceRecord], int], bytes]
    """Returns the bytes of records, by MHz."""
    decode: Callable[[bytes], Records]
    """Returns the records in bytes that `encode` made."""
    until: Callable[[bytes, int], bytes]
    """Returns the part of bytes that `encode` made up to a tsc."""


XENTRACE_30: Final = Form("xentrace 3.0", first.encode, first.decode, first.until)
XENTRACE_4: Final = Form("xentrace 4", later.encode, later.decode, later.until)


def form_of(xen_major: int | None) -> Form:
    """Return the form for a host by the version of its Xen."""
    return XENTRACE_30 if xen_major is None or xen_major < 4 else XENTRACE_4


def form_named(name: str) -> Form:
    """Return the form with a name, as the service tells it."""
    return XENTRACE_4 if name == XENTRACE_4.name else XENTRACE_30
