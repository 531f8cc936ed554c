"""Saves the current session of a domain, or deletes it."""

from xenprof.errors import NothingToSave, XenprofError
from xenprof.session.answer import Answer
from xenprof.session.daemon import RunningDaemon
from xenprof.session.store import StoreThread
from xenprof.store.sessiondir import SessionDir

CANNOT_SAVE = "The session is not saved: make room, then run opcontrol --save again"


def change_session(
    directory: SessionDir, daemon: RunningDaemon | None, store: StoreThread, name: str | None
) -> Answer:
    """Save the current session as `name`, or delete it (None); its daemon begins a new one.

    The daemon has dumped. A session is deleted with what could not be written, but not saved
    without it.
    """
    answer = Answer()
    if daemon is not None and daemon.held and name is not None:
        answer.fail(CANNOT_SAVE)
        return answer
    try:
        if name is None:
            store.call(directory.reset)
        else:
            store.call(lambda: directory.save(name, store.disk))
    except NothingToSave as error:
        answer.note(str(error))
    except XenprofError as error:
        answer.fail(str(error))
    else:
        if daemon is not None:
            if lost := daemon.forget_session():
                answer.note(f"{lost} samples that could not be written are deleted too")
            answer.say("Signalling daemon... done")
    return answer
