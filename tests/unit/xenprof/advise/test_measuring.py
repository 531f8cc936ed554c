from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from xenprof import workers
from xenprof.advise import gauges
from xenprof.advise.advice import Change, Setting
from xenprof.advise.measuring import effects
from xenprof.advise.trials import Effect, Times, trial_of, tried

TABLES = {"domain": [{"name": "web", "memory_mib": 64, "workload": [{"kind": "cpu"}]}]}
GAUGES = (gauges.processor("web"), gauges.waiting("web"))
CAPPED = Change((Setting(("domain", "web", "cap"), 50),), GAUGES, helped=("web",))
TRIAL = tried(trial_of(CAPPED, TABLES))
SHORT = Times(10**6, 10**8, 2)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Have no processes started."""
    monkeypatch.setattr(workers, "workers", lambda: ThreadPoolExecutor(1))


def test_a_host_that_several_trials_have_in_common_is_run_once():
    told = []
    trials = [TRIAL, replace(TRIAL, gauges=GAUGES[:1])]
    found = [
        one for one in effects(trials, SHORT, lambda *n: told.append(n)) if isinstance(one, Effect)
    ]
    # Two seeds of the host as it is, and of the host as both would have it.
    assert [(n, 4) for n in range(1, 5)] == told
    assert [2, 1] == [len(one.gains) for one in found]
    assert found[0].gains[0] == found[1].gains[0]


def test_a_trial_that_cannot_be_run_takes_no_other_with_it():
    refused = replace(TRIAL, changed={"domain.web.memory_mib": 10**6})
    why, found = effects([refused, TRIAL], SHORT)
    assert isinstance(why, str) and "memory" in why
    assert isinstance(found, Effect)
