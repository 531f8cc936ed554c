import shutil

import pytest

from tests.support.homes import session, write, write_home
from tests.support.known_sessions import VMLINUX, own
from xenprof.home import domain_root
from xenprof.report.sessions.places import named_session
from xenprof.report.sessions.together import together
from xenprof.store.begun import note_run, stored_samples
from xenprof.store.sessiondir import domain_session


@pytest.fixture
def home(tmp_path):
    """A HOME with current sessions of Domain-0 and web, and a saved one of Domain-0."""
    return write_home(tmp_path)


def profiled(home, domain, run):
    """Note that a run of `xenprof profile` has made the current session of a domain."""
    note_run(domain_session(domain_root(home, domain)), run, stored_samples(session(home, domain)))


def found(home, *domains, name="current"):
    place, left_out = together(named_session(home, name), frozenset(domains))
    return [source.domain for source in place.sources], list(left_out)


def test_sessions_of_opcontrol_are_taken_together(home):
    assert (["Domain-0", "web"], []) == found(home)


def test_sessions_of_one_profile_are_taken_together(home):
    profiled(home, "Domain-0", "a")
    profiled(home, "web", "a")
    assert (["Domain-0", "web"], []) == found(home)


@pytest.mark.parametrize("runs", [("b", "a"), ("b", None), (None, "a")])
def test_a_session_that_domain_0_did_not_take_part_in_is_left_out(home, runs):
    for domain, run in zip(("Domain-0", "web"), runs, strict=True):
        if run is not None:
            profiled(home, domain, run)
    assert (["Domain-0"], ["web"]) == found(home)


def test_the_session_of_a_domain_that_is_asked_for_is_taken(home):
    profiled(home, "web", "a")
    assert (["web"], ["Domain-0"]) == found(home, "web")


def test_all_domains_that_are_asked_for_are_taken(home):
    profiled(home, "web", "a")
    assert (["Domain-0", "web"], []) == found(home, "web", "Domain-0")


def test_a_passive_domain_is_in_domain_0s_session(home):
    profiled(home, "Domain-0", "b")
    profiled(home, "web", "a")
    assert (["Domain-0"], ["web"]) == found(home, "db")


def test_a_profile_that_opcontrol_has_gone_on_with_goes_with_sessions_of_opcontrol(home):
    profiled(home, "Domain-0", "a")
    write(home, "Domain-0", [own(VMLINUX, {0: 500})])
    assert (["Domain-0", "web"], []) == found(home)


def test_without_a_session_of_domain_0_all_are_taken(home):
    shutil.rmtree(session(home, "Domain-0"))
    profiled(home, "web", "a")
    assert (["web"], []) == found(home)


def test_saved_sessions_of_a_name_are_taken_as_they_are(home):
    write(home, "web", [own(VMLINUX, {0: 7})], "later")
    profiled(home, "web", "a")
    assert (["Domain-0", "web"], []) == found(home, name="later")
