"""What looking at a real Xen costs, beside the programs that come with it.

The measurements are printed by `pytest -s`.
"""

import json
import sys
from collections.abc import Mapping
from typing import TypedDict

import pytest

from tests.support.paths import TESTS
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import FILE, OutsideAgent

SCRIPT = TESTS / "support" / "realxen" / "indom0" / "speed.py"
SPINNING = "web db batch"
ROUNDS = 5
LEAST_RATIOS = {"xentop -b -i 1 -v -n -x": 50, "xl list -l": 200}


class Measured(TypedDict):
    """What was measured in domain 0, by one process."""

    domains: int
    vcpus: int
    poll_hypercalls: int
    sampling_hypercalls: int
    ms: Mapping[str, float]
    resident_kib: int


@pytest.fixture(scope="module")
def measured(busy: Machine, agent: OutsideAgent) -> Measured:
    """Measure while no guest computes."""
    busy.put(SCRIPT.read_bytes(), "/srv/speed.py")
    busy.run(f"for one in {SPINNING}; do xl pause $one; done")
    try:
        told = busy.run(f"PYTHONPATH={FILE} python3 /srv/speed.py {ROUNDS}", 600)
    finally:
        busy.run(f"for one in {SPINNING}; do xl unpause $one; done")
    sys.stdout.write(told)
    found: Measured = json.loads(told)
    return found


@pytest.mark.parametrize(("program", "ratio"), LEAST_RATIOS.items())
def test_a_poll_costs_a_small_part_of_what_xens_programs_cost(measured, program, ratio):
    assert measured["ms"][program] / measured["ms"]["poll"] >= ratio, measured["ms"]


def test_a_round_of_sampling_costs_less_than_starting_a_program(measured):
    assert measured["ms"]["sampling"] < measured["ms"]["/bin/true"]
