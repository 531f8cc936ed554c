"""Places by dotted paths."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.experiment.places import (
    NoSuchPlace,
    quoted,
    set_value,
    steps,
    take_value,
    values,
)

NAMES = st.text(st.characters(exclude_characters='".', exclude_categories=["Cs"]), min_size=1)
DOTTED = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), min_size=1)


@dataclass(frozen=True)
class Part:
    name: str
    size: int


def tables():
    return {
        "host": {"store": [{"name": "san", "kind": "fc"}]},
        "domain": [
            {"name": "web", "workload": [{"kind": "cpu"}, {"kind": "netperf", "rate": 1}]},
            {"name": "db.1"},
        ],
    }


@given(st.lists(DOTTED, min_size=1))
def test_quoted_steps_come_back(names):
    assert tuple(names) == steps(".".join(map(quoted, names)))


@given(st.lists(NAMES, min_size=1))
def test_plain_steps_come_back(names):
    assert tuple(names) == steps(".".join(names))


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", 'a"b', '"a', '"a"b'])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(NoSuchPlace, match="is no path"):
        steps(path)


@given(st.lists(NAMES, min_size=1, max_size=5), st.integers())
def test_a_key_that_is_set_is_there(names, value):
    empty: dict[str, object] = {}
    set_value(empty, ".".join(names), value)
    place: object = empty
    for name in names:
        assert isinstance(place, dict)
        place = place[name]

    assert value == place


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("domain.web.cap", lambda t: t["domain"][0]["cap"]),
        ('domain."db.1".cap', lambda t: t["domain"][1]["cap"]),
        ("domain.1.cap", lambda t: t["domain"][1]["cap"]),
        ("host.store.san.elevator", lambda t: t["host"]["store"][0]["elevator"]),
        ("domain.web.workload.netperf.rate", lambda t: t["domain"][0]["workload"][1]["rate"]),
        ("domain.web.workload.0", lambda t: t["domain"][0]["workload"][0]),
        ("domain0.vcpus", lambda t: t["domain0"]["vcpus"]),
    ],
)
def test_entries_are_found_by_name_kind_and_number(path, read):
    there = tables()
    set_value(there, path, 7)

    assert 7 == read(there)


def test_a_star_sets_all_entries():
    there = tables()
    set_value(there, "domain.*.cap", 7)

    assert [7, 7] == [one["cap"] for one in there["domain"]]


def test_a_star_gives_each_a_value_of_its_own():
    there = tables()
    set_value(there, "domain.*.workload", [{"kind": "cpu"}])
    set_value(there, "domain.web.workload.0.threads", 3)

    assert [[{"kind": "cpu", "threads": 3}], [{"kind": "cpu"}]] == [
        one["workload"] for one in there["domain"]
    ]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("domain.wbe.cap", r"there is no 'wbe' \(did you mean 'web'\?\); there are web, db.1"),
        ("host.store.nas.elevator", "there is no 'nas'.*; there are san"),
        ("domain.web.name.first", "'first' is in no table"),
        ("domain.web.name.first.second", "'first' is in no table"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_what_is_there(path, told):
    with pytest.raises(NoSuchPlace, match=told):
        set_value(tables(), path, 7)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("domain.*.workload", r"takes from one place at a time; name it instead of \*"),
        ("domain.web.workload.*", "takes from one place"),
        ("domain.web.name.first", "'first' is in no table"),
        ("domain.web.wrkload", r"there is no 'wrkload' \(did you mean 'workload'\?\)"),
        ("domain.web.workload.7", "there is no '7'"),
    ],
)
def test_what_cannot_be_taken_is_told(path, told):
    with pytest.raises(NoSuchPlace, match=told):
        take_value(tables(), path)


def test_what_is_taken_is_gone():
    there = tables()

    assert [{"kind": "cpu"}, {"kind": "netperf", "rate": 1}] == take_value(
        there, "domain.web.workload"
    )
    assert {"name": "web"} == there["domain"][0]


def test_values_are_found_in_records_maps_and_lists():
    place = {"parts": (Part("a", 1), Part("b", 2))}

    assert [2] == list(values(place, ("parts", "b", "size")))
    assert [1, 2] == list(values(place, ("parts", "*", "size")))


def test_entries_of_another_kind_are_left_out_of_all():
    place = ({"kind": "cpu", "units": 1}, {"kind": "idle"})

    assert [1] == list(values(place, ("*", "units")))


def test_what_no_entry_has_is_told_with_what_there_is():
    with pytest.raises(NoSuchPlace, match=r"no 'unitz' \(did you mean 'units'\?\); there are"):
        list(values(({"kind": "cpu", "units": 1},), ("*", "unitz")))
