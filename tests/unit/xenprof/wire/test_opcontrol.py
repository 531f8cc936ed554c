import pytest

from xenprof.wire.opcontrol import OPERATIONS, DaemonStatus, OpcontrolRequest


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (DaemonStatus("running", 7), "Daemon running: pid 7"),
        (DaemonStatus("paused", 7), "Daemon paused: pid 7"),
        (DaemonStatus("stopped"), "Daemon not running"),
    ],
)
def test_status_line_is_opcontrols(status, line):
    assert status.line == line


def test_every_operation_is_in_the_table():
    assert set(OPERATIONS) == set(OpcontrolRequest.__subclasses__())
