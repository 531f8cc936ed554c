"""Finds the trace that an exemplar leads to."""

from dataclasses import dataclass

from hypervisor.telemetry import Exemplar, HostSnapshot


@dataclass(frozen=True, slots=True)
class SessionTrace:
    """The trace of the profiling session that runs, and when it began."""

    trace_id: str
    began_unix_ns: int

    @classmethod
    def of(cls, host: HostSnapshot) -> "SessionTrace | None":
        """Return that of a host; None while nothing is profiled."""
        session = host.profiling
        if session is None:
            return None
        return cls(session.trace_id, host.unix_ns - host.time_ns + session.began_ns)


def trace_of(exemplar: Exemplar, session: SessionTrace | None) -> str | None:
    """Return the trace of what was measured, or of the session that profiled it meanwhile."""
    if exemplar.trace_id is not None:
        return exemplar.trace_id
    if session is not None and exemplar.unix_ns >= session.began_unix_ns:
        return session.trace_id
    return None
