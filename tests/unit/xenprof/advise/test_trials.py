from dataclasses import replace

import pytest

from xenprof.advise.advice import Change, Gauge, Setting
from xenprof.advise.trials import (
    Effect,
    Gain,
    Times,
    Trial,
    Unseen,
    applied,
    effect,
    trial_of,
    tried,
)
from xenprof.experiment.measures import Measure
from xenprof.experiment.places import NoSuchPlace

TABLES = {
    "host": {"name": "h"},
    "domain": [
        {"name": "web", "disk": ["phy:/dev/a,xvda,w", "phy:/dev/b,xvdb,w"], "cap": 25},
        {"name": "db.1"},
    ],
}


def gauge(domain="web", *, more=False) -> Gauge:
    return Gauge("work", domain, "1/s", Measure((domain,), "per_second"), is_more_better=more)


def changed(*settings):
    """Return the keys that a change sets, and the tables that come of it."""
    trial = trial_of(Change(settings, ()), TABLES)
    return trial.changed, applied(trial)


def test_a_key_of_a_domain_is_found_by_its_name():
    keys, after = changed(Setting(("domain", "db.1", "cap"), 0))
    assert {'domain."db.1".cap': 0} == keys
    assert {"name": "db.1", "cap": 0} == after["domain"][1]


def test_a_disk_is_found_by_its_name_in_the_guest():
    keys, after = changed(Setting(("domain", "web", "disk", "xvdb"), "phy:/dev/c,xvdb,w"))
    assert {"domain.web.disk.1": "phy:/dev/c,xvdb,w"} == keys
    assert ["phy:/dev/a,xvda,w", "phy:/dev/c,xvdb,w"] == after["domain"][0]["disk"]


@pytest.mark.parametrize(
    ("entry", "after"),
    [
        ("type=ioemu, rate=1Mb/s@50ms,ip=10.0.0.1", "type=ioemu, ip=10.0.0.1, rate=2B/s"),
        ("bridge=xenbr0", "bridge=xenbr0, rate=2B/s"),
        ("", "rate=2B/s"),
    ],
)
def test_a_part_of_an_entry_leaves_the_others(entry, after):
    tables = {"domain": [{"name": "web", "vif": [entry]}]}
    part = Setting(("domain", "web", "vif", "0"), "rate=2B/s", is_part=True)
    assert {"domain.web.vif.0": after} == trial_of(Change((part,), ()), tables).changed


def test_an_entry_is_added_to_a_list_or_to_what_stands_for_none():
    card = Setting(("host", "nic"), {"name": "b"}, is_added=True, before=({"name": "a"},))
    assert {"host.nic": [{"name": "a"}, {"name": "b"}]} == changed(card)[0]
    other = Setting(("host", "nic"), {"name": "c"}, is_added=True)
    assert [{"name": "a"}, {"name": "b"}, {"name": "c"}] == changed(card, other)[0]["host.nic"]


def test_a_store_of_that_name_and_kind_is_the_one_that_is_meant():
    store = Setting(
        ("host", "store"), {"name": "san", "kind": "fc"}, is_added=True,
        before=({"name": "san", "kind": "fc", "luns": 2},),
    )  # fmt: skip
    assert [{"name": "san", "kind": "fc", "luns": 2}] == changed(store)[0]["host.store"]


def test_the_tables_given_stay_as_they_are():
    before = str(TABLES)
    changed(Setting(("domain", "web", "disk", "xvda"), "x"), Setting(("host", "arch"), "i386"))
    assert before == str(TABLES)


@pytest.mark.parametrize("path", [("domain", "mail", "cap"), ("domain", "web", "disk", "hda")])
def test_a_place_that_is_not_there_is_an_error(path):
    with pytest.raises(NoSuchPlace):
        changed(Setting(path, 0))


def gain(before, after, spread=0.0, seeds=5, *, more=False, domain="web"):
    return Gain(gauge(domain, more=more), before, after, spread, seeds)


def test_two_things_more_or_less_at_the_ends_of_the_time_are_chance():
    """Three seeds may have the same one more, as if there were no chance at all."""
    one = Gain(gauge(more=True), 3.6, 3.5, 0.0, 3, 0.1)
    assert ("same", "worse") == (one.verdict, replace(one, after=3.3).verdict)


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (gain(10, 9, 0.8), "better"),  # 2.78 * 0.8 / sqrt(5) = 0.99
        (gain(10, 9, 0.81), "same"),
        (gain(10, 9, 0.8, more=True), "worse"),
        (gain(10, 11, 0.8), "worse"),
        (gain(10, 9, 0.0, seeds=1), "same"),
        (gain(10, 10, 0.0), "same"),
    ],
)
def test_a_gain_is_what_chance_does_not_explain(one, verdict):
    assert verdict == one.verdict


def test_a_change_of_work_below_a_hundredth_is_not_worth_a_word():
    works = (gain(100, 99.1), gain(100, 99.0, domain="db"))
    assert ["db"] == [one.gauge.domain for one in Effect((), works, ()).notable]


def test_who_loses_is_told_unless_the_advice_is_for_it():
    works = tuple(gain(100, 90, more=True, domain=name) for name in ("web", "db"))
    assert ["db"] == [one.gauge.domain for one in Effect((), works, ("web",)).harmed]


@pytest.mark.parametrize(
    ("gains", "works", "verdict"),
    [
        ((gain(2, 1),), (), "better"),
        ((gain(1, 2),), (), "worse"),
        ((gain(2, 1), gain(1, 2)), (), "mixed"),
        ((gain(2, 1),), (gain(2, 1, more=True),), "mixed"),
        ((gain(2, 1),), (gain(2, 1, more=True, domain="db"),), "better"),
        ((gain(2, 2),), (gain(1, 2, more=True),), "better"),
        ((), (gain(1, 1, more=True),), "same"),
        ((), (gain(1, 1, more=True, domain="db"),), "unknown"),
    ],
)
def test_the_verdict_is_of_those_it_is_for(gains, works, verdict):
    assert verdict == Effect(gains, works, ("web",)).verdict


WEB, DB = gauge(), gauge("db")


SECOND = 10**9
TIMES = Times(SECOND, 10 * SECOND, 2)
GRAIN = 0.1  # one more in ten seconds


def readings(*values, other=1.0):
    """Return what runs show of web and db."""
    return [{WEB.measure: one, DB.measure: other} for one in values]


def test_runs_are_compared_seed_by_seed():
    trial = Trial({}, {}, (WEB,), ("web",), (DB,))
    found = effect(trial, TIMES, readings(1.0, 2.0), readings(2.0, 4.0))
    assert (Gain(WEB, 1.5, 3.0, 0.5**0.5, 2, GRAIN),) == found.gains
    assert (Gain(DB, 1.0, 1.0, 0.0, 2, GRAIN),) == found.works


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [((None, None), (None, None), 4), ((5.0, 6.0), (None, None), 2), ((5.0, 6.0), (None, 1.0), 1)],
)
def test_a_figure_that_a_run_does_not_show_is_unknown_and_not_the_same(before, after, missing):
    found = effect(Trial({}, {}, (WEB,), ("web",)), TIMES, readings(*before), readings(*after))
    assert ("unknown", (Unseen(WEB, missing, 4),)) == (found.verdict, found.unseen)


def test_beside_a_figure_that_is_not_seen_another_has_a_verdict():
    unseen = (Unseen(WEB, 1, 4),)
    assert ["better", "unknown"] == [
        Effect((one,), (), ("web",), unseen).verdict for one in (gain(2, 1), gain(2, 2))
    ]


BURST = {"kind": "burst", "run_ms": 1, "sleep_ms": 1}


def test_work_that_only_one_of_the_hosts_has_is_not_compared():
    table = {"name": "web", "workload": [BURST, {"kind": "cpu"}]}
    change = Change((Setting(("domain", "web", "workload"), [BURST]),), ())
    found = tried(trial_of(change, {"domain": [table]}))
    assert ["workload 1 (burst), bursts"] == [one.name for one in found.works]
