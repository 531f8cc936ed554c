"""Reads paths of sample files."""

from xenprof.profile.flat import SampleKey
from xenprof.store.samplepath import parse_spec


def parse_path(relative: str) -> SampleKey:
    """Return the key of the sample file at a path below a session's directory."""
    directory, _, spec = relative.rpartition("/")
    return parse_spec(directory, spec)
