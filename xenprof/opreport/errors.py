"""What can go wrong in a report."""

from xenprof.errors import XenprofError


class ReportError(XenprofError):
    """A report that cannot be made; the message is opreport's own, complete."""
