"""Ctrl-C ends a run between two steps, also where the model is compiled."""

import signal

import pytest

from hypervisor.model.machine import INTERRUPT_STEP_NS, build
from hypervisor.model.scenario.spec import load_scenario

MS = 1_000_000


def press(_):
    signal.raise_signal(signal.SIGINT)


def test_a_run_ends_at_the_step_in_which_it_is_interrupted_and_can_go_on():
    host = build(load_scenario("grumble"), epoch_ns=0)
    host.clock.schedule(130 * MS, press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            host.advance(1000 * MS)
    finally:
        signal.signal(signal.SIGINT, before)
    stopped_ns = host.now_ns
    host.advance(1000 * MS)

    assert (2 * INTERRUPT_STEP_NS, 1000 * MS) == (stopped_ns, host.now_ns)
