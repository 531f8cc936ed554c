import pytest

from tests.support.advising import CHECKLIST, commands, domain0, facts, ids
from xenprof.advise.rules import advice_for


def test_applications_in_domain_0_are_to_be_in_a_guest():
    assert ("xm create applications",) == commands(facts(domain0(served_percent=5.0)))


@pytest.mark.parametrize("own", [4.9, None])
def test_what_xend_needs_is_no_application(own):
    assert [] == ids(facts(domain0(served_percent=own)))


def test_a_host_of_which_nothing_is_known_is_told_what_to_check():
    found = advice_for(facts())
    assert [(one, "check", ()) for one in CHECKLIST] == [
        (one.id, one.strength, one.rests_on) for one in found
    ]


def test_services_are_those_of_the_slide():
    services, *_ = advice_for(facts())
    for name in ("AutoFS", "NFS", "FTP", "WWW", "NIS", "telnetd", "sendmail"):
        assert name in services.why
