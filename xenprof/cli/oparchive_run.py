"""Does oparchive's work: finds the files of sessions and images, and lists or copies them."""

from collections.abc import Iterator
from pathlib import Path

from xenprof.cli.postprocess import image_path, one_specification, place, root
from xenprof.cli.program import CommandLine, warn
from xenprof.images.finder import image_finders, look_up
from xenprof.opreport.classes import classify, parse_merge
from xenprof.opreport.header import unknown_events
from xenprof.opreport.imagewarnings import ImageWarnings
from xenprof.opreport.names import long_name
from xenprof.opreport.select import Place, image_names, path_of, select, session_paths
from xenprof.opreport.specification import Specification
from xenprof.optools import archive
from xenprof.optools.archive import Copy
from xenprof.profile.flat import Profile

ALL = parse_merge("all")


def make_archive(line: CommandLine) -> int:
    """Copy or list the files; return the exit code. Raises: XenprofError."""
    specification = one_specification(line)
    where = place(line, specification)
    places = image_path(line, where)
    profile = _selected(line, where, specification, places)
    if "session-dir" in line.flags:
        warn(
            f"NOTE: the sample data of {where.session_dir} is below /var/lib/oprofile in the "
            "archive: no --session-dir is needed to read it."
        )
    target = line.values.get("output-directory", "")
    if "list-files" not in line.flags:
        archive.make_parent(target)
    for copy in (
        *_image_copies(line, where, profile, places),
        *_session_copies(where, specification, profile),
    ):
        if "list-files" in line.flags:
            print(copy.source)
        else:
            archive.copy_file(copy, target)
    return 0


def _selected(
    line: CommandLine, where: Place, specification: Specification, places: tuple[str, ...]
) -> Profile:
    """Return the selected sample files, with those of call graphs; warn of what they lack.

    Raises: NoSamplesError, NothingSelectedError, StoreError (all of them are damaged).
    """
    profile = select(
        where,
        specification,
        exclude_dependent="exclude-dependent" in line.flags,
        callgraph=True,
        merge=ALL,
        warn=warn,
        names=image_names(where, places, root(line)),
    )
    classes = classify((file.key for file in profile.files), ALL)
    for text in unknown_events(profile, classes, ALL):
        warn(text)
    return profile


def _image_copies(
    line: CommandLine, where: Place, profile: Profile, places: tuple[str, ...]
) -> Iterator[Copy]:
    """Yield the copies of images with samples and, as far as they are found, of those called."""
    other = root(line)
    finders = image_finders(where.archive, other, places, is_domain=where.is_domain)
    prefixes = [str(Path(top).absolute()) for top in (where.archive, other) if top]
    warnings = ImageWarnings(warn)
    sampled = {file.key.image for file in profile.files}
    called = {file.key.callee for file in profile.files if file.key.callee is not None}
    shown_before = "" if where.is_domain else where.archive
    found = {}
    for image in sorted(sampled | called, key=long_name):
        path, problem = look_up(finders, image)
        if path is not None:
            found[image] = path
        elif image in sampled:
            warnings.report(long_name(image), f"{shown_before}{long_name(image)}", problem.value)
    for path in found.values():
        yield from archive.image_copies(path, prefixes)


def _session_copies(where: Place, specification: Specification, profile: Profile) -> Iterator[Copy]:
    """Yield the copies of sessions, then those of the files that all sessions share."""
    paths = [(file.key, Path(path_of(file))) for file in profile.files]
    directories: dict[Path, None] = {}
    for named in session_paths(where, specification):
        session = named.absolute()
        files = [(key, path) for key, path in paths if path.is_relative_to(session)]
        if files:
            directories[session.parent.parent] = None
            yield from archive.session_copies(session, files)
    for directory in directories:
        yield from archive.log_copies(directory)
