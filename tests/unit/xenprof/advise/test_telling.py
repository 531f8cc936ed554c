import json
from dataclasses import replace

from tests.support.advising import facts, guest
from xenprof.advise.advice import Advice, Change, Command, Gauge, Observed, Setting
from xenprof.advise.plan import Planned
from xenprof.advise.telling import as_json, as_text
from xenprof.advise.trials import Effect, Gain, Trial, Unseen
from xenprof.experiment.measures import Measure

GAUGE = Gauge("parked by its cap", "web", "% of a pcpu", Measure(("x",), "share"))
UNITS = Measure(("x",), "per_second")
WORK = Gauge("workload 1 (cpu), units", "db", "1/s", UNITS, is_more_better=True)
CHANGE = Change((Setting(("domain", "web.1", "cap"), 0),), (GAUGE,), helped=("web",))
ADVICE = Advice(
    "weights.capped", "Lift the cap of web", (Command("Domain-0", "xm sched-credit -d web -c 0"),), "web", "Because.",
    "The slide", "do", (Observed("cap", 25, "% of a pcpu"), Observed("backed by", "file:/a")),
    CHANGE,
)  # fmt: skip
CHECK = replace(
    ADVICE, id="domain0.selinux", title="Look", strength="check", rests_on=(), change=None,
    unmeasured="nobody sees it",
)  # fmt: skip
LOST = Gain(WORK, 2000.0, 1500.0, 20.0, 5)
KEPT = Gain(WORK, 2000.0, 2000.0, 20.0, 5)
EFFECT = Effect((Gain(GAUGE, 20.0, 0.0, 0.5, 5),), (LOST,), ("web",))
HOST = facts()


def lines(*plans):
    return list(as_text(HOST, plans, "4 pcpus, 20 s"))


def test_advice_is_told_with_what_it_rests_on_and_what_to_try():
    assert [
        "host: 4 pcpus, 20 s",
        "",
        "Do:",
        "",
        "* Lift the cap of web  [weights.capped]",
        "    in Domain-0:",
        "      xm sched-credit -d web -c 0",
        "  because     Because. (Slide: The slide.)",
        "  seen        cap 25 % of a pcpu; backed by file:/a",
        '  to try      domain."web.1".cap = 0',
        "",
        "Check:",
        "",
        "* Look  [domain0.selinux]",
        "    in Domain-0:",
        "      xm sched-credit -d web -c 0",
        "  because     Because. (Slide: The slide.)",
    ] == lines(Planned(ADVICE), Planned(CHECK))


def test_what_is_typed_in_one_domain_stands_together():
    do = [Command(*one) for one in (("Domain-0", "a"), ("Domain-0", "b"), ("web", "c"))]
    told = lines(Planned(replace(ADVICE, do=tuple(do))))[5:10]
    assert ["    in Domain-0:", "      a", "      b", "    in web:", "      c"] == told


def test_what_was_measured_is_told_with_its_spread_and_who_loses():
    assert [
        "  brings      better",
        "              web, parked by its cap: 20 -> 0 % of a pcpu (spread 0.5, -100 %)",
        "  neighbours  db, workload 1 (cpu), units: 2000 -> 1500 1/s (spread 20, -25 %)",
    ] == lines(Planned(ADVICE, effect=EFFECT))[9:]


def test_chance_is_called_chance():
    same = Effect((Gain(GAUGE, 20.0, 19.8, 0.5, 5),), (KEPT,), ("web",))
    assert [
        "  brings      no change beyond chance",
        "              web, parked by its cap: 20 -> 19.8 % of a pcpu (spread 0.5, -1 %, within chance)",
        "  neighbours  no work changes beyond chance",
    ] == lines(Planned(ADVICE, effect=same))[9:]


def test_what_was_not_seen_is_called_unknown():
    unknown = Effect((), (), ("web",), (Unseen(GAUGE, 1, 6),))
    assert [
        "  brings      unknown",
        "              web, parked by its cap: not seen in 1 of 6 runs",
    ] == lines(Planned(ADVICE, effect=unknown))[9:]


def test_what_the_model_refuses_is_told():
    refused = Planned(ADVICE, refused="too little memory")
    assert "  to try      not in the model: too little memory" == lines(refused)[-1]


def test_json_has_the_facts_with_null_for_what_is_unknown():
    host = facts(guest(page_ins_per_second=None, weight=256))
    told = json.loads(json.dumps(as_json(host, ())))["facts"]
    assert (None, "credit") == (told["free_mib"], told["scheduler"])
    [web] = told["domains"]
    assert ("web", 256, None) == (web["name"], web["weight"], web["page_ins_per_second"])


def test_json_has_all_of_it():
    trial = Trial({}, {"domain.web.cap": 0}, (GAUGE,), ("web",))
    plans = [Planned(ADVICE, trial, EFFECT), Planned(CHECK)]
    told = json.loads(json.dumps(as_json(HOST, plans)))
    first, second = told["advice"]
    assert [{"where": "Domain-0", "text": "xm sched-credit -d web -c 0"}] == first["do"]
    assert {"keys": {"domain.web.cap": 0}} == first["experiment"]
    assert [
        {"name": "cap", "value": 25, "unit": "% of a pcpu"},
        {"name": "backed by", "value": "file:/a", "unit": None},
    ] == first["rests_on"]
    assert ("better", ["db"]) == (first["measured"]["verdict"], first["measured"]["harmed"])
    assert {
        "domain": "web",
        "name": "parked by its cap",
        "unit": "% of a pcpu",
        "before": 20.0,
        "after": 0.0,
        "spread": 0.5,
        "runs": 5,
        "verdict": "better",
    } == first["measured"]["figures"][0]
    assert (None, None, "nobody sees it") == (
        second["experiment"],
        second["measured"],
        second["unmeasured"],
    )
