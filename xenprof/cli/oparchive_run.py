"""Does oparchive's work: finds the files of sessions and images, and lists or copies them."""

import os
from collections.abc import Iterator
from pathlib import Path

from xenprof.cli.postprocess import image_path, one_specification, place, root
from xenprof.cli.program import CommandLine, warn
from xenprof.errors import UsageError
from xenprof.images import ImageFinder
from xenprof.opreport.errors import NoSamplesError, NothingSelectedError
from xenprof.opreport.names import long_name
from xenprof.opreport.select import Place, session_paths
from xenprof.opreport.specification import Specification
from xenprof.optools import archive
from xenprof.optools.archive import Copy
from xenprof.profile.flat import ImageName, SampleKey
from xenprof.store.sessiondir import list_files, read_files

Files = dict[Path, list[tuple[SampleKey, Path]]]


def make_archive(line: CommandLine) -> int:
    """Copy or list the files; return the exit code. Raises: XenprofError."""
    specification = one_specification(line)
    where = place(line, specification)
    sessions = _sessions(line, where, specification)
    if "session-dir" in line.flags:
        warn(
            f"NOTE: the sample data of {where.session_dir} is below /var/lib/oprofile in the "
            "archive: no --session-dir is needed to read it."
        )
    target = Path(os.path.realpath(line.values.get("output-directory", "")))
    if "list-files" not in line.flags:
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"Unable to create directory for {target}: {error.strerror}"
            raise UsageError(message) from None
    for copy in _copies(line, where, sessions):
        if "list-files" in line.flags:
            print(copy.source)
        else:
            archive.copy_file(copy, target)
    return 0


def _sessions(line: CommandLine, where: Place, specification: Specification) -> Files:
    """Return the selected sample files of each session, with those of call graphs.

    Raises: NoSamplesError, NothingSelectedError, StoreError (all of them are damaged).
    """
    found: Files = {}
    seen = 0
    only_own = "exclude-dependent" in line.flags
    for session in session_paths(where, specification):
        files = list_files(session)
        seen += len(files)
        chosen = [
            (key, path)
            for key, path in files
            if specification.matches(key) and not (only_own and key.app != key.image)
        ]
        if chosen:
            # A damaged file is reported now, not when the archive is read.
            whole = read_files([(*each, None) for each in chosen], _warning)
            keys = {file.key for file in whole}
            found[session.absolute()] = [each for each in chosen if each[0] in keys]
    if not seen:
        raise NoSamplesError
    if not found:
        raise NothingSelectedError
    return found


def _warning(line: str) -> None:
    warn(f"warning: {line}")


def _copies(line: CommandLine, where: Place, sessions: Files) -> Iterator[Copy]:
    """Yield all copies: images, then sessions, then the files that all sessions share."""
    other = root(line)
    finders = [ImageFinder(where.archive, image_path(line, where))]
    if other:
        finders.insert(0, ImageFinder(root=other))
    prefixes = [str(Path(top).absolute()) for top in (where.archive, other) if top]
    images: dict[ImageName, None] = {}
    for files in sessions.values():
        for key, _ in files:
            images.update(dict.fromkeys((key.app, key.image, *filter(None, (key.callee,)))))
    for image in sorted(images, key=long_name):
        copies = list(archive.image_copies(image, finders, prefixes))
        if not copies and image.kind != "anon" and not image.path.endswith("no-vmlinux"):
            warn(f"warning: {long_name(image)} could not be found.")
        yield from copies
    for session, files in sessions.items():
        yield from archive.session_copies(session, files)
    for directory in dict.fromkeys(session.parent.parent for session in sessions):
        yield from archive.log_copies(directory)
