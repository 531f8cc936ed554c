"""Names by which domains are told apart."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.polling.readings import Cost, Reading
from hypervisor.live.agent.report.fields import DomainReport
from hypervisor.live.agent.report.names import names_of, shared_names
from hypervisor.live.snapshots import snapshot_of
from tests.support.live.machine import Domain
from tests.support.live.polled import Polled
from tests.support.live.reports import SECOND, guest, report


def named(**names: str | None) -> list[DomainReport]:
    return [guest(int(domid[1:]), name, SECOND) for domid, name in names.items()]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"_4": "web", "_5": "db"}, {4: "web", 5: "db"}),
        ({"_4": "web", "_5": "web"}, {4: "web (4)", 5: "web (5)"}),
        ({"_3": None, "_5": "Domain-3"}, {3: "Domain-3 (3)", 5: "Domain-3 (5)"}),
        (
            {"_3": "a", "_4": "a", "_9": "a (3)"},
            {3: "a (3) (3)", 4: "a (4)", 9: "a (3) (9)"},
        ),
        ({"_1": "a\n", "_2": r"a\n"}, {1: r"a\n (1)", 2: r"a\n (2)"}),
    ],
)
def test_a_name_that_several_have_is_shown_with_the_id(given, shown):
    assert shown == names_of(named(**given))


@given(st.lists(st.none() | st.from_regex(r"a?( \([0-4]\)){0,3}", fullmatch=True), max_size=5))
def test_no_two_domains_have_one_name(names):
    shown = names_of([guest(domid, name, SECOND) for domid, name in enumerate(names)])

    assert len(names) == len(set(shown.values()))


def test_a_snapshot_and_the_metrics_of_an_agent_have_the_same_names():
    made = report(domains=tuple(named(_4="web", _5="web")))
    shown = Shown(Reading(made, made, True, Cost(1, 1, 1, 1, 1, 1, 1)))

    assert ["web (4)", "web (5)"] == [one.name for one in snapshot_of(made, "h").domains]
    assert ["web (4)", "web (5)"] == [name for name, _ in shown.domains]


def test_the_names_that_several_have_are_told():
    assert ["a", "web"] == shared_names(named(_1="web", _2="web", _3="db", _4="a", _5="a"))


def test_an_agent_tells_a_name_that_several_have_as_a_problem():
    polled = Polled()
    polled.machine.domains += [Domain(4, uuid=UUID(int=4)), Domain(5, uuid=UUID(int=5))]
    for domid in (4, 5):
        polled.store.values[f"/local/domain/{domid}/name"] = "web"

    told = "names: several domains are called 'web'; each is shown with its id"
    assert (told,) == polled.poll().problems


def test_very_many_domains_that_share_names_are_told_apart():
    pairs = [guest(domid, f"web{domid // 2}", SECOND) for domid in range(30_000)]

    assert "web14999 (29999)" == names_of(pairs)[29_999]
