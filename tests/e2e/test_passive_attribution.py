"""Samples are attributed alike with and without call stacks, passive domains' as well."""

from collections import Counter

import pytest

from xenprof.cli.main import main
from xenprof.profile.stacks import StackProfile
from xenprof.report.sessions.attribution import Attribution
from xenprof.report.sessions.places import Source, named_session
from xenprof.report.sessions.reading import flat
from xenprof.store.sessiondir import CURRENT, read_profile
from xenprof.store.stackfile import read_stacks


@pytest.fixture(scope="module", params=[("0,1", "2"), ("0", "1,3"), ("0,1,2", None)])
def place(request, tmp_path_factory):
    """Return the sessions of a run with stacks; its sample files do not depend on them."""
    home = tmp_path_factory.mktemp("home")
    active, passive = request.param
    options = ["--passive", passive] if passive else []
    assert 0 == main(
        ["run", "--scenario", "grumble", "--for", "1s", "--state-dir", str(home),
         "--profile", "GLOBAL_POWER_EVENTS:100000", "--callgraph", "16", "--active", active,
         *options]
    )  # fmt: skip
    return named_session(home, CURRENT)


def by_frame(profile: StackProfile):
    """Return the samples by the function that was executing."""
    found: Counter = Counter()
    for stack, (samples,) in zip(profile.stacks, profile.values.tolist(), strict=True):
        found[profile.frames[stack[-1]]] += samples
    return found


def from_files(place, source: Source):
    profile = read_profile(
        source.session, str(source.session), select=lambda key: key.callee is None
    )
    return flat(profile, Attribution(source, place.names, place.roots, (), print))


def test_stacks_end_in_the_images_and_symbols_of_the_sample_files(place):
    for source in place.sources:
        stacks = read_stacks(source.session)
        assert stacks is not None
        assert by_frame(from_files(place, source)) == by_frame(stacks)


def test_a_passive_domain_has_one_name_in_all_sessions(place):
    """Its code is `domainN-...` wherever it occurs, as a caller in another domain's too."""
    found = [read_stacks(source.session) for source in place.sources]
    frames = {frame for stacks in found if stacks for frame in stacks.frames}
    passive = {
        frame.domain for frame in frames if frame.image.rpartition("/")[2].startswith("domain")
    }
    own = {source.domain for source in place.sources}

    assert not passive & own
    assert [f for f in frames if f.domain in passive and "domain" not in f.image] == []
