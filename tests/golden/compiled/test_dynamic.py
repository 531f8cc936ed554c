"""What the compiler could not make native: no function of the model falls back to Python's objects.

`make golden` records what is; CONTRIBUTING.md says what makes code native, and so what is to be
changed back when a function has more dynamic operations than before.
"""

import json
from pathlib import Path

import pytest

from hypervisor.compiled.build import DYNAMIC, is_of_list
from hypervisor.compiled.engine import choose
from hypervisor.compiled.manifest import BUILT

EXPECTED = Path(__file__).parent / "expected" / "dynamic.txt"


@pytest.fixture
def counts():
    """Return the dynamic operations of each function of the model as it is compiled now."""
    if not choose().is_compiled:
        pytest.skip(f"the model runs as Python: {choose().reason}")
    if not is_of_list():
        pytest.skip("the list has changed since the model was compiled")
    return json.loads((BUILT / DYNAMIC).read_text(encoding="utf-8"))


@pytest.fixture
def recorded(counts, update_golden):
    """Return the same as it was recorded."""
    if update_golden:
        lines = sorted(f"{name} {count}\n" for name, count in counts.items())
        EXPECTED.write_text("".join(lines), encoding="utf-8")
    rows = (line.split() for line in EXPECTED.read_text(encoding="utf-8").splitlines())
    return {name: int(count) for name, count in rows}


def changed(counts, recorded, names):
    """Return a line for each function: what was recorded, and what is."""
    rows = [f"{name}: {recorded.get(name, 0)} -> {counts.get(name, 0)}" for name in sorted(names)]
    return "\n".join(rows)


def test_no_function_of_the_model_became_slower(counts, recorded):
    slower = [name for name, count in counts.items() if count > recorded.get(name, 0)]

    if slower:
        rows = changed(counts, recorded, slower)
        pytest.fail(f"more dynamic operations than recorded:\n{rows}", pytrace=False)


def test_what_became_faster_is_recorded(counts, recorded):
    faster = [name for name, count in recorded.items() if count > counts.get(name, 0)]

    if faster:
        rows = changed(counts, recorded, faster)
        pytest.fail(f"fewer than recorded, run `make golden`:\n{rows}", pytrace=False)
