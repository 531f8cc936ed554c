"""Finds the operations of the toolstack that have ended since the last look."""

from hypervisor.telemetry import HostSnapshot, OperationRecord


class NewOperations:
    """A reader of the operations that snapshots hold. Their serials tell what it has missed."""

    def __init__(self) -> None:
        self._serial: int | None = None  # of the last one seen

    def read(self, host: HostSnapshot) -> tuple[list[OperationRecord], int]:
        """Return the operations that are new, and how many are gone that nobody has read."""
        last = self._serial
        new = [one for one in host.last_operations if last is None or one.serial > last]
        if not new:
            return [], 0
        missed = 0 if last is None else new[0].serial - last - 1
        self._serial = new[-1].serial
        return new, missed
