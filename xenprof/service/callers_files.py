"""Places the files that requests name: strangers' in domain 0, those of local callers as given.

It tells of files in the same way: strangers learn no place on this machine.

Over TCP, `/` is domain 0's root. The control socket talks to the service's own user and to root
alone (`doors`), so no file is opened there with more rights than the caller has.
"""

import errno
import os
from dataclasses import replace
from pathlib import Path

from hypervisor.ownfiles import make_folder, place_below
from xenprof.service.answers import Answer
from xenprof.service.arguments import BadArguments
from xenprof.service.commands import Command
from xenprof.service.hidden_home import HiddenHome
from xenprof.wire.answers import Dumped
from xenprof.wire.domain_requests import DumpCore, Save
from xenprof.wire.host_requests import Restore
from xenprof.wire.opcontrol import Outcome

_NAMING_FILES = {Save.command: "path", DumpCore.command: "path", Restore.command: "path"}
"""The commands that open a file of the machine, and the argument that names it."""
_WRITING = frozenset({Save.command, DumpCore.command})


class CallersFiles:
    """Places the files of requests that came by one listener."""

    def __init__(self, root: Path | None = None, hidden: HiddenHome | None = None) -> None:
        """`root` is what is `/` for callers; None: the machine's own. `hidden` cleans texts."""
        self._root = root
        self._hidden = hidden or HiddenHome()

    def placed(self, command: Command) -> Command:
        """Return the command with its file's path on this machine. Raises: BadArguments.

        Folders that are missing below the root are made for a file that will be written there,
        as the root has only what is needed.
        """
        argument = _NAMING_FILES.get(command.name)
        path = command.arguments.get(argument) if argument else None
        if argument is None or not isinstance(path, str) or not path:
            return command  # nothing is named, or what is named will be refused
        place = self._place(path, is_written=command.name in _WRITING)
        return replace(command, arguments={**command.arguments, argument: place})

    def _place(self, path: str, *, is_written: bool) -> str:
        if self._root is None:
            if not path.startswith("/"):
                raise BadArguments(f"{path}: the path of a file starts with a slash here")
            return path
        try:
            place = place_below(self._root, path)
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            if is_written:
                make_folder(self._root, place.parent)
        except OSError as error:
            raise BadArguments(f"{path!r} cannot be used: {error.strerror}") from None
        return str(place)

    def told(self, answer: Answer) -> Answer:
        """Return an answer with the paths of files as its caller knows them."""
        if isinstance(answer, Outcome):
            stdout, stderr = (
                tuple(map(self._hidden.told, lines)) for lines in (answer.stdout, answer.stderr)
            )
            return replace(answer, stdout=stdout, stderr=stderr)
        if self._root is None or not isinstance(answer, Dumped):
            return answer
        return Dumped(f"/{Path(answer.path).relative_to(self._root)}")
