"""Has a daemon write what it has taken, and tells what could not be written."""

from xenprof.errors import StoreError
from xenprof.session.answer import Answer
from xenprof.session.daemon import RunningDaemon


def flush(daemon: RunningDaemon, answer: Answer) -> bool:
    """Write all samples taken; return whether the session's notes are written."""
    failure = ""
    try:
        daemon.flush()
    except StoreError as error:
        failure = str(error)
    if problem := daemon.problem or failure:
        answer.fail(problem)
    return not failure
