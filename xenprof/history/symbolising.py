"""Turns new samples into one StackProfile. Symbols of images are kept between slices."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from xenprof.history.collector import Cut
from xenprof.profile.stacks import StackProfile
from xenprof.report.sessions.attribution import Attribution
from xenprof.report.sessions.places import Source
from xenprof.report.sessions.reading import flat
from xenprof.report.views.merge import merged


class Symboliser:
    """Symbolises cuts. Used on one thread."""

    def __init__(self, host: str, warn: Callable[[str], None]) -> None:
        """`host` is written into the profiles."""
        self._host = host
        self._warn = warn
        self._names: Mapping[int, str] = {}
        self._attributions: dict[Source, Attribution] = {}

    def profile(self, cut: Cut, start_unix_ns: int, end_unix_ns: int) -> StackProfile:
        """Return what was collected between two moments, all domains together."""
        if cut.names != self._names:
            self._names = cut.names
            self._attributions.clear()
        parts = []
        for part in cut.parts:
            if part.stacks is not None:
                parts.append(part.stacks)
            elif part.files is not None:
                found = flat(part.files, self._attribution(part.source, cut))
                parts.append(replace(found, lost=part.lost))
        return replace(
            merged(parts),
            host=self._host,
            start_unix_ns=start_unix_ns,
            duration_ns=end_unix_ns - start_unix_ns,
        )

    def _attribution(self, source: Source, cut: Cut) -> Attribution:
        if source not in self._attributions:
            self._attributions[source] = Attribution(source, cut.names, cut.roots, (), self._warn)
        return self._attributions[source]
