import pytest

from hypervisor.live.agent.report.fields import DomainReport
from hypervisor.live.agent.report.states import is_blocked, is_crashed, is_runnable
from hypervisor.shutdown import CRASH, REASONS


def told(**flags):
    domain = DomainReport(1, "u", **flags)
    return is_runnable(domain), is_blocked(domain)


@pytest.mark.parametrize(
    ("flags", "runnable", "blocked"),
    [
        ({}, True, False),
        ({"running": True}, False, False),
        ({"blocked": True}, False, True),
        ({"blocked": True, "running": True}, False, False),
        ({"paused": True}, False, False),
        ({"shutdown": True}, False, False),
        ({"dying": True}, False, False),
    ],
)
def test_one_that_may_run_is_running_blocked_or_runnable(flags, runnable, blocked):
    assert (runnable, blocked) == told(**flags)


def test_of_all_reasons_one_is_a_crash():
    crashed = [
        is_crashed(DomainReport(1, "u", shutdown=True, shutdown_reason=reason))
        for reason in range(len(REASONS))
    ]

    assert [reason == CRASH for reason in range(len(REASONS))] == crashed


@pytest.mark.parametrize(("is_shutdown", "expected"), [(False, False), (True, None)])
def test_without_a_reason_only_one_that_has_not_stopped_is_known_not_to_have_crashed(
    is_shutdown, expected
):
    assert expected is is_crashed(DomainReport(1, "u", shutdown=is_shutdown))
