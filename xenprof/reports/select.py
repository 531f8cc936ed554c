"""Session directories -> the part of their profile that a specification selects."""

from dataclasses import dataclass
from pathlib import Path

from xenprof.profile import Profile, SampleFile, SampleKey
from xenprof.reports.errors import ReportError
from xenprof.reports.specification import Specification
from xenprof.store.sessiondir import read_profile


@dataclass(frozen=True, slots=True)
class Place:
    """Where sessions are, and the directory that their image paths start from ("" is /).

    `image_path` is where else to look for images if the user does not say.
    """

    session_dir: Path
    archive: str = ""
    image_path: tuple[str, ...] = ()


def session_paths(place: Place, specification: Specification) -> list[Path]:
    """Return the directories of the sessions that a specification names."""
    return [
        Path(session) if session[0] in "/." else place.session_dir / "samples" / session
        for session in specification.sessions
    ]


def select(
    place: Place,
    specification: Specification,
    *,
    exclude_dependent: bool = False,
    callgraph: bool = False,
) -> Profile:
    """Return the selected sample files of all sessions of a specification.

    Raises:
        ReportError: there are no sample files, none is selected, or two sessions have the same.
        StoreError: a sample file cannot be read.
    """
    seen = 0

    def is_selected(key: SampleKey) -> bool:
        nonlocal seen
        seen += 1
        return (
            (callgraph or key.callee is None)
            and not (exclude_dependent and key.app != key.image)
            and specification.matches(key)
        )

    files: dict[SampleKey, SampleFile] = {}
    lost: dict[str, int] = {}
    for session in session_paths(place, specification):
        profile = read_profile(
            place.session_dir, str(session.absolute()), archive=place.archive, select=is_selected
        )
        for file in profile.files:
            if file.key in files:
                raise ReportError(
                    "sanitize_profile_sample_files(): sample file parsed twice ? "
                    f"({file.key.image.path} in {session})"
                )
            files[file.key] = file
        for reason, count in profile.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    if not seen:
        raise ReportError(
            "opreport error: No sample found: Please specify a session containing \nsample data."
        )
    if not files:
        raise ReportError("error: no sample files found: profile specification too strict ?")
    return Profile(tuple(files.values()), place.archive, lost)
