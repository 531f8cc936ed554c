import tomllib

import pytest

from tests.support.capturing import domain, host, still, vcpu, window
from xenprof.capture.fitting import ATTEMPTS, capture

WINDOW = window(host(domain(0, "Domain-0", vcpu(0, 1)), domain(5, "web", vcpu(0, 4))))


class Model:
    """A model that gives a burst three quarters of what it asks for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text):
        self.texts.append(text)
        read = tomllib.loads(text)
        domains = (read["domain0"], *read["domain"])
        return window(
            host(*(domain(domid, "x", vcpu(0, given(one))) for domid, one in enumerate(domains)))
        )


class Generous(Model):
    """A model that gives all of a pcpu to what asks for it."""

    def __call__(self, text):
        super().__call__(text)
        read = tomllib.loads(text)
        tables = (read["domain0"], *read["domain"])
        return window(
            host(*(domain(domid, "x", vcpu(0, most(one))) for domid, one in enumerate(tables)))
        )


def most(table):
    has_hog = any(one["kind"] == "cpu" for one in table.get("workload", ()))
    return 10 if has_hog else given(table)


def given(table):
    bursts = [one for one in table.get("workload", ()) if one["kind"] == "burst"]
    return sum(7.5 * one["run_ms"] / (one["run_ms"] + one["sleep_ms"]) for one in bursts)


def test_bursts_are_adjusted_until_the_shares_agree():
    fit = capture(WINDOW, Model())

    assert [pytest.approx(0.1, abs=0.005), pytest.approx(0.4, abs=0.005)] == [
        row.modelled for row in fit.rows
    ]


def test_the_model_runs_a_few_times_at_most():
    model = Model()
    capture(window(host(domain(0, "Domain-0", vcpu()), domain(5, "web", vcpu(0, 9)))), model)

    assert ATTEMPTS + 1 >= len(model.texts)


def test_the_devices_run_alone_first():
    model = Model()
    capture(WINDOW, model)

    assert "burst" not in model.texts[0]


def test_rows_are_those_of_the_host():
    rows = capture(WINDOW, still).rows

    assert [("Domain-0", 0, 0.1), ("web", 5, 0.4)] == [
        (row.host_name, row.domid, row.measured) for row in rows
    ]


def test_the_error_is_the_models_share_less_the_measured_one():
    assert [-0.1, -0.4] == [row.error for row in capture(WINDOW, still).rows]


def test_the_file_tells_when_and_how_well():
    text = capture(WINDOW, still).text

    assert "10.0 s until 2007-05-09 00:00:10 UTC" in text
    assert "#   web: 40.0, 0.0\n" in text


def test_the_file_has_every_note():
    fit = capture(WINDOW, still)

    assert fit.notes
    assert [] == [note for note in fit.notes if f"#   {note}\n" not in fit.text]


BUSY = window(host(domain(0, "Domain-0", vcpu(0, 1)), domain(5, "web", vcpu(0, 4, 6))))


def test_what_computes_all_the_time_and_gets_too_much_in_the_model_sleeps_in_between():
    fit = capture(BUSY, Generous())

    assert pytest.approx(0.4, abs=0.005) == fit.rows[1].modelled


def test_that_it_sleeps_in_between_is_told():
    assert (
        "web: computes all the time, but would get more here than there: it sleeps in between"
    ) in [str(note) for note in capture(BUSY, Generous()).notes]
