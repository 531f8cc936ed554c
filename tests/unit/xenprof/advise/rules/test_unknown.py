"""Advice never rests on what nobody measured, whatever else is known of the host."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.any_host import hosts
from xenprof.advise.facts import Facts
from xenprof.advise.rules import advice_for

CHOSEN = {"memory.balloon", "network.card", "pinning.threads", "smp.overcommit"}
"""Of which one guest is chosen: if it cannot be, another may be."""

NEVER_UNKNOWN = {
    "host",
    "seconds",
    "domid",
    "name",
    "index",
    "pcpu",
    "vcpu",
    "is_memory_unlimited",
    "mode",
}


def unknown(draw: Any, record: Any) -> Any:
    """Return a record of which some values are unknown, also in the records that it holds."""
    changes: dict[str, object] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
            changes[field.name] = tuple(unknown(draw, one) for one in value)
        elif field.name not in NEVER_UNKNOWN and not isinstance(value, tuple) and draw():
            changes[field.name] = None
    return replace(record, **changes)


def actions(host: Facts) -> set[tuple[str, str]]:
    """Return what is advised that is no matter of a checklist, and where."""
    return {
        (one.id, "" if one.id in CHOSEN else one.where)
        for one in advice_for(host)
        if one.strength != "check"
    }


@settings(max_examples=100)
@given(hosts, st.data())
def test_what_is_known_less_of_gets_no_other_advice(host, data):
    blanks = data.draw(st.randoms(use_true_random=False))
    less = unknown(lambda: blanks.random() < 0.1, host)

    assert actions(less) <= actions(host)


@settings(max_examples=40)
@given(hosts)
def test_no_value_that_is_shown_is_unknown(host):
    for advice in advice_for(host):
        assert [] == [one.name for one in advice.rests_on if one.value is None]
        assert advice.rests_on or advice.strength == "check"


@settings(max_examples=40)
@given(hosts)
def test_every_advice_has_an_experiment_or_says_why_not(host):
    for advice in advice_for(host):
        assert (advice.change is None) == bool(advice.unmeasured)
