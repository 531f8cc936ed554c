"""Copies things of the model with all that they hold, to see whether both go on alike."""

import copy
from typing import TypeVar

import pytest

from hypervisor.compiled.engine import running

Thing = TypeVar("Thing")


def copied(thing: Thing) -> Thing:
    """Return a deep copy; skip the test where the model runs compiled.

    `copy` cannot see into a bound method of a native class, so that the events of a copied clock
    would go on in the original. Nothing in the product copies a machine.
    """
    if running().is_compiled:
        pytest.skip("what is compiled cannot be copied")
    return copy.deepcopy(thing)
