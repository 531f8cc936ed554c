"""Defines the errors of a report."""

from xenprof.errors import UsageError, XenprofError


class ReportError(XenprofError):
    """A report that cannot be made. The program that makes it puts its name in front."""


class NoSamplesError(ReportError):
    """The sessions have no sample files at all."""

    def __init__(self) -> None:
        """The message is opreport's."""
        super().__init__("No sample found: Please specify a session containing \nsample data.\n")


class NothingSelectedError(UsageError):
    """The specification selects none of the existing sample files."""

    def __init__(self) -> None:
        """The message is opreport's, in which no program names itself."""
        super().__init__("error: no sample files found: profile specification too strict ?")
