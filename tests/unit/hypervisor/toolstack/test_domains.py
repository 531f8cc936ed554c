import pytest

from hypervisor.errors import UnknownDomain
from tests.support.fake_hypervisor import GUEST, Bench, refusal


def test_a_guest_gets_the_next_id_and_runs():
    bench = Bench()
    assert bench.create(GUEST) == 1
    assert bench.fake.calls == [("unpause", 1)]


def test_a_guest_created_paused_stays_paused():
    bench = Bench()
    bench.create(GUEST, paused=True)
    assert bench.fake.calls == []


def test_a_name_in_use_is_refused_with_the_other_domains_id(xend):
    assert refusal(xend.domains.create, GUEST) == "VM name 'web' already in use by domain 1"


def test_a_uuid_in_use_is_refused_with_the_other_domains_id(xend, fake):
    uuid = fake.specs[1].uuid
    message = refusal(xend.domains.create, {**GUEST, "name": "b", "uuid": uuid})
    assert f"VM uuid {uuid} already in use by domain 1" == message


@pytest.mark.parametrize("verb", ["pause", "unpause", "destroy"])
@pytest.mark.parametrize("reference", ["0", "Domain-0"])
def test_domain_0_is_privileged_however_it_is_called(xend, verb, reference):
    message = refusal(getattr(xend.domains, verb), reference)
    assert f"Cannot {verb} privileged domain {reference}" == message


@pytest.mark.parametrize("reference", ["nosuch", "7", "", "1.0", "٣", "99999999999999999999"])
def test_an_unknown_domain_is_named_as_typed(xend, reference):
    with pytest.raises(UnknownDomain) as unknown:
        xend.domains.pause(reference)
    assert f"Domain '{reference}' does not exist." == str(unknown.value)


def test_a_number_is_a_name_first_and_an_id_second(bench):
    bench.create({**GUEST, "name": "1"})
    bench.fake.calls.clear()
    bench.xend.domains.pause("1")
    assert bench.fake.calls == [("pause", 2)]


def test_a_refused_create_leaves_no_domain(xend, fake):
    refusal(xend.domains.create, GUEST)
    assert list(fake.specs) == [0, 1]
