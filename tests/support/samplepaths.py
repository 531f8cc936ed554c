"""Reads paths of sample files."""

from xenprof.profile.flat import SampleKey
from xenprof.store.samplepath import parse_spec


def parse_path(relative: str) -> SampleKey:
    """Return what the sample file at a path below a session's directory is about."""
    directory, _, spec = relative.rpartition("/")
    return parse_spec(directory, spec)
