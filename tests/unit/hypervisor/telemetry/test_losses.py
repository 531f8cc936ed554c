"""Every loss is of one stage."""

import pytest

from hypervisor.telemetry import LostCount
from hypervisor.telemetry.losses import LOSS_STAGES
from xenprof.oprofiled.attribution import LOSS_REASONS
from xenprof.oprofiled.writer import COUNT_OVERFLOW, STORE_WRITE_FAILED


def test_the_stages_are_those_of_a_samples_way():
    assert {"hypervisor", "driver", "daemon", "store"} == set(LOSS_STAGES.values())


@pytest.mark.parametrize(
    ("reason", "stage"),
    [
        ("ring_full", "hypervisor"),
        ("cpu_buffer_overflow", "driver"),
        ("event_buffer_overflow", "driver"),
        ("store_write_failed", "store"),
        ("domain_destroyed", "hypervisor"),
        ("a counter of its driver", "driver"),
    ],
)
def test_a_loss_tells_its_stage(reason, stage):
    assert stage == LostCount("x", reason, 1, 1, "").stage


@pytest.mark.parametrize("reason", ["unread", "no_address"])
def test_what_a_running_host_never_counts_as_lost_is_no_reason(reason):
    assert reason not in LOSS_STAGES


def test_every_reason_of_the_daemon_is_the_daemons():
    assert {"daemon"} == {LOSS_STAGES[reason] for reason in LOSS_REASONS}


def test_every_reason_of_the_store_is_the_stores():
    assert {"store"} == {LOSS_STAGES[reason] for reason in (STORE_WRITE_FAILED, COUNT_OVERFLOW)}
