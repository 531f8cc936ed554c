"""Advice does what it says: in the model, each host that it is for is better off with it."""

from copy import deepcopy

import pytest

from tests.support.advised_hosts import HOSTS
from xenprof.advise.measuring import effects
from xenprof.advise.model import settings_of, tables_of, watched
from xenprof.advise.plan import planned
from xenprof.advise.trials import Times
from xenprof.advise.watching import facts_of
from xenprof.experiment.events import Event
from xenprof.experiment.job import Job, values

SECOND = 10**9
SHORT = Times(2 * SECOND, 5 * SECOND, 3)
LONG = Times(2 * SECOND, 60 * SECOND, 7)  # a percent of a neighbour is lost in the noise of less


def advised(tables):
    """Return the advice for a host, as it is planned."""
    window, host = watched(tables, SHORT.warm_up_ns, 10 * SECOND)
    return planned(facts_of(window, settings_of(tables, host)), tables)


def plans(tables):
    """Return the trials of the advice for a host, by id."""
    return {one.advice.id: one.trial for one in advised(tables) if one.trial}


def measured(trial, times=SHORT):
    """Return what a trial shows."""
    [found] = effects([trial], times)
    return found


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_is_better_off_as_advised(name):
    assert "better" == measured(plans(HOSTS[name])[name]).verdict


@pytest.mark.slow
def test_all_advice_for_grumble_is_for_the_better():
    trials = plans(tables_of("grumble"))
    expected = ["network.card", "smp.vcpus", "storage.shared", "weights.capped"]
    assert expected == sorted(trials)
    effects = {name: measured(trial, LONG) for name, trial in trials.items()}
    assert dict.fromkeys(trials, "better") == {name: one.verdict for name, one in effects.items()}
    assert [] == [one.gauge for found in effects.values() for one in found.harmed]


def test_who_caused_others_to_starve_loses_and_is_told():
    found = measured(plans(tables_of("noisy"))["weights.starved"])
    assert ("better", {"batch"}) == (found.verdict, {one.gauge.domain for one in found.harmed})


def test_a_guest_that_is_told_to_grow_swaps_no_more_once_that_is_typed():
    tables = deepcopy(HOSTS["memory.balloon"])
    tables["domain"][0]["maxmem_mib"] = 256
    [plan] = [one for one in advised(tables) if one.advice.id == "memory.balloon"]
    [command] = plan.advice.do
    paged = plan.trial.gauges[0].measure
    events = (Event(5 * SECOND, command.text),)
    # What lies on the swap device comes back in some twenty seconds.
    (before,), *_, (after,) = values(Job(tables, SECOND, 5 * SECOND, 7, events, (paged,)), 1)
    assert before is not None and before > 1 and after == 0


def test_seeds_give_the_same_figures_again():
    trial = plans(HOSTS["network.rate"])["network.rate"]
    assert measured(trial) == measured(trial)
