"""Keeps account of the current sessions that one `xenprof profile` replaces with its own."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from xenprof.cli.daemonrc import DaemonrcFiles
from xenprof.cli.notes import note
from xenprof.store.begun import note_run, only_run, stored_samples
from xenprof.store.sessiondir import SessionDir, domain_session


class ProfiledSessions:
    """The current sessions of the domains that are profiled, as they are when this is made."""

    def __init__(self, roots: Mapping[str, Path]) -> None:
        """`roots` are the domains' by name; no daemon runs in them. Raises: UsageError."""
        self._run = secrets.token_hex(8)
        self._sessions: dict[str, SessionDir] = {}
        for name, root in roots.items():
            setup = DaemonrcFiles(root, is_daemon_alive=False).load()
            self._sessions[name] = domain_session(root, setup.session_dir)
        self._earlier = {
            name: stored_samples(session.current)
            for name, session in self._sessions.items()
            if only_run(session.current) is None
        }

    def begin(self) -> None:
        """Note whose sessions they are from now on, and tell which were not of a profile.

        They have just been reset. Raises: StoreError.
        """
        for name, samples in self._earlier.items():
            if samples:
                note(
                    f"{samples} samples of an earlier session of {name} are replaced; "
                    "opcontrol --save keeps such a session"
                )
        for session in self._sessions.values():
            note_run(session, self._run, 0)

    def end(self) -> None:
        """Note what has been sampled; all daemons have ended. Raises: StoreError."""
        for session in self._sessions.values():
            note_run(session, self._run, stored_samples(session.current))
