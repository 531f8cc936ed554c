"""Runs of experiments."""

from dataclasses import replace

import pytest

from tests.support.variants import SMALL, loaded
from xenprof.experiment.errors import RunFailed
from xenprof.experiment.events import Event
from xenprof.experiment.identity import identity
from xenprof.experiment.job import Job, parsed, run, values
from xenprof.experiment.measures import Measure
from xenprof.experiment.received import checked_values

TWO_PIECES = SMALL.replace("seeds = 2", "seeds = 2\nevery_s = 0.03")


def test_a_job_survives_being_sent(tmp_path):
    job = loaded(tmp_path).variants[1].job

    assert job == parsed(job.text())


def test_a_run_gives_the_same_wherever_it_is_done(tmp_path):
    variant = loaded(tmp_path).variants[1]

    assert run(variant.job.text(), 3, identity()) == [list(one) for one in values(variant.job, 3)]


def test_a_process_with_another_model_refuses_every_run(tmp_path):
    with pytest.raises(RunFailed, match=r"process \d+ on \S+ has another model than is here"):
        run(loaded(tmp_path).variants[0].job.text(), 1, "another")


def test_a_program_alone_runs_all_the_time(tmp_path):
    ((ran,),) = values(loaded(tmp_path).variants[0].job, 1)

    assert 100 == pytest.approx(ran, abs=1)


def test_pieces_are_measured_one_by_one(tmp_path):
    pieces = values(loaded(tmp_path, TWO_PIECES).variants[0].job, 1)

    assert [100, 100] == [pytest.approx(ran, abs=1) for (ran,) in pieces]


def test_an_event_happens_in_the_middle(tmp_path):
    text = TWO_PIECES + '\n[[event]]\nat_s = 0.03\ndo = "xm pause web"\n'
    (first,), (second,) = values(loaded(tmp_path, text).variants[0].job, 1)

    assert 100 == pytest.approx(first, abs=1)
    assert 0 == second


def test_what_a_host_refuses_is_a_line(tmp_path):
    refused = (Event(0, "xm sched-credit -d web -w 70000"),)
    job = replace(loaded(tmp_path).variants[0].job, events=refused)
    told = run(job.text(), 1, identity())

    assert isinstance(told, str)
    assert told.startswith("event 'xm sched-credit -d web -w 70000': ")


@pytest.mark.parametrize(
    "found", [None, "x", [], [[1.0], [2.0]], [[1.0, 2.0]], [["1"]], [[float("nan")]], [1.0]]
)
def test_what_is_no_result_is_not_taken_for_one(tmp_path, found):
    with pytest.raises(ValueError, match="it has"):
        checked_values(found, loaded(tmp_path))


def test_numbers_and_nothing_are_results(tmp_path):
    experiment = loaded(tmp_path)

    assert ((1.5,),) == checked_values([[1.5]], experiment)
    assert ((None,),) == checked_values([[None]], experiment)


def test_what_only_xen_has_is_unknown_to_a_host_without_it():
    tables = {"host": {"hypervisor": "none", "sockets": 1}, "domain0": {"vcpus": 1}}
    waited = Measure(("domain0.vcpus.*.runnable_ns",), "share")

    assert (None,) == values(Job(tables, 0, 1_000_000, 1, (), (waited,)), 1)[0]
