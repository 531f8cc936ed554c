import pytest

from tests.support.advising import disk, facts, guest, pcpus, vcpu, vif
from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change
from xenprof.advise.plan import Planned, planned, with_effects
from xenprof.advise.trials import Effect, Gain, Trial

WEB = {"name": "web", "disk": ["phy:/dev/a,xvda,w"], "vif": ["bridge=xenbr0"]}
CAPPED = {"cap": 25, "capped_percent": 5.0, "online": (vcpu(affinity=(0,)),)}
LIMITED = vif(
    1,
    rate_bytes_per_second=1_250_000,
    rate_window_us=50_000,
    transmit_bits_per_second=5e6,
    limited_percent=90.0,
)
SLOW = disk(
    "xvdb",
    store="lvm",
    reads_per_second=10.0,
    writes_per_second=0.0,
    await_ms=9.0,
    busy_percent=50.0,
)


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (guest("db", **CAPPED), "'domain.db.cap': there is no 'db'; there are web"),
        (guest(vifs=(LIMITED,)), "'domain.web.vif.1': there is no vif 1; there are 0"),
        (
            guest(disks=(SLOW,), page_ins_per_second=0.0, disk_elevator="noop"),
            "'domain.web.disk.xvdb': there is no disk xvdb; there are xvda",
        ),
    ],
)
def test_what_a_scenario_does_not_have_is_told_and_not_tried(domain, why):
    host = facts(domain, pcpus=pcpus(50.0))
    [plan] = [one for one in planned(host, {"domain": [WEB]}) if one.advice.change]
    assert (None, why) == (plan.trial, plan.refused)


SWAPS = gauges.paged_in("web")
CHANGE = Change((), (SWAPS,), helped=("web",))
ADVICE = Advice("memory.balloon", "Grow", (), "web", "Why", "Slide", "do", change=CHANGE)
TRIAL = Trial({}, {}, (SWAPS,), ("web",))


def measured(before, seen):
    """Return the plan of a host that has such a figure, after its scenario had `before`."""
    effect = Effect((Gain(SWAPS, before, 0.0, 0.0, 3),) if before is not None else (), (), ("web",))
    [plan] = with_effects([Planned(ADVICE, TRIAL, seen=seen)], [effect])
    return plan


@pytest.mark.parametrize(
    ("before", "there"), [(0.0, "0 1/s"), (49.0, "49 1/s"), (201.0, "201 1/s"), (None, "unknown")]
)
def test_what_a_captured_scenario_does_not_show_is_not_measured_on_it(before, there):
    plan = measured(before, 100.0)
    why = f"web, pages read from swap: 100 1/s; there {there}"
    assert f"the captured scenario does not show it ({why})" == plan.refused
    assert plan.effect is None


@pytest.mark.parametrize(("before", "seen"), [(50.0, 100.0), (200.0, 100.0), (0.0, None)])
def test_what_it_shows_more_or_less_is(before, seen):
    assert ("", "better" if before else "same") == (
        measured(before, seen).refused,
        measured(before, seen).effect.verdict,
    )


def test_a_trial_that_could_not_be_run_says_why():
    [plan] = with_effects([Planned(ADVICE, TRIAL)], ["too little memory"])
    assert ("too little memory", None) == (plan.refused, plan.effect)


DB = gauges.paged_in("db")


@pytest.mark.parametrize(("after", "strength"), [(10.0, "do"), (20.0, "consider")])
def test_what_neighbours_pay_for_is_to_be_considered(after, strength):
    helped = Gain(SWAPS, 10.0, 0.0, 0.0, 3)
    effect = Effect((helped,), (Gain(DB, 10.0, after, 0.0, 3),), ("web",))
    [plan] = with_effects([Planned(ADVICE, TRIAL)], [effect])
    assert strength == plan.advice.strength
