"""Takes over what the service itself logs."""

import logging

from xenprof.service.journal import Journal

MOST_CHARACTERS = 1 << 20  # that wait; judgement
_OURS = ("xenprof", "hypervisor", "exporters", "uvicorn")
_CHARACTERS_BESIDE_TEXT = 500


class ServiceLog(logging.Handler):
    """A handler of the root logger that keeps records in a journal, those of the service only."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.journal: Journal[logging.LogRecord] = Journal(MOST_CHARACTERS, _weigh)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, with its text made, as its arguments may change."""
        if record.name.partition(".")[0] not in _OURS:
            return
        kept = logging.makeLogRecord(record.__dict__)
        kept.msg, kept.args = record.getMessage(), None
        if record.exc_info:
            kept.exc_text = logging.Formatter().formatException(record.exc_info)
            kept.exc_info = None
        self.journal.append(kept)


def _weigh(record: logging.LogRecord) -> int:
    return _CHARACTERS_BESIDE_TEXT + len(record.msg) + len(record.exc_text or "")
