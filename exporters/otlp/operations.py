"""Finds the operations of the toolstack that have ended since the last look."""

from hypervisor.telemetry import HostSnapshot, OperationRecord


class NewOperations:
    """A reader of the operations that snapshots hold. Their serials tell what it has missed."""

    def __init__(self) -> None:
        self._serial = 0  # of the last one seen; the first of a host has 1

    def read(self, host: HostSnapshot) -> tuple[list[OperationRecord], int]:
        """Return the operations that are new, and how many are gone that nobody has read."""
        new = [one for one in host.last_operations if one.serial > self._serial]
        if not new:
            return [], 0
        missed = new[0].serial - self._serial - 1
        self._serial = new[-1].serial
        return new, missed
