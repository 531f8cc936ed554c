"""Paces model time: its schedule against the wall clock, and the size of a slice."""

from hypervisor.host import GoesOn

SLIP_TOLERANCE_NS = 100_000_000
"""The wall time by which the model may be late (a scheduler hiccup) before the schedule slips."""

SLICE_WALL_NS = 1_000_000
"""The target for the duration of a slice, half of the 2 ms that it may take at most."""

_SMALLEST_SLICE_NS = 1_000
_LARGEST_SLICE_NS = 1_000_000_000


class Pacer:
    """The schedule: the model time that is due at a wall time, at `speed` (None: no limit).

    A model that is late never runs faster to catch up: the schedule is moved back, and the lost
    wall time is added to `lag_ns`.
    """

    def __init__(self, speed: float | None, wall_ns: int, model_ns: int) -> None:
        """Anchor the schedule: `model_ns` is due at `wall_ns`."""
        self.speed = speed
        self.lag_ns = 0
        self._wall_ns = wall_ns
        self._model_ns = model_ns

    def due_ns(self, wall_ns: int) -> int | None:
        """Return the model time that is due now; None if it may run as fast as possible."""
        if self.speed is None:
            return None
        return self._model_ns + int((wall_ns - self._wall_ns) * self.speed)

    def settle(self, wall_ns: int, model_ns: int) -> None:
        """Move the schedule back if the model, now at `model_ns`, is later than the tolerance."""
        due_ns = self.due_ns(wall_ns)
        if due_ns is None or self.speed is None:
            return
        late_ns = int((due_ns - model_ns) / self.speed)
        if late_ns > SLIP_TOLERANCE_NS:
            slip_ns = late_ns - SLIP_TOLERANCE_NS
            self.lag_ns += slip_ns
            self._wall_ns += slip_ns


class Following:
    """The schedule of a host whose time goes on by itself: all of it is due."""

    speed: float | None = 1.0
    lag_ns = 0

    def __init__(self, host: GoesOn) -> None:
        """Follow `host`."""
        self._host = host

    def due_ns(self, wall_ns: int) -> int | None:
        """Return the time that it is."""
        return self._host.present_ns()

    def settle(self, wall_ns: int, model_ns: int) -> None:
        """Do nothing: time that has passed is not put off."""


class Slicer:
    """Finds the virtual time that takes about a millisecond of wall time, from earlier slices."""

    def __init__(self) -> None:
        """Start with a small slice, which is not long on any machine."""
        self.virtual_ns = 100_000

    def took(self, virtual_ns: int, wall_ns: int) -> None:
        """Learn that `virtual_ns` took `wall_ns`; the slice shrinks at once, or at most doubles."""
        if wall_ns > SLICE_WALL_NS:
            wanted_ns = virtual_ns * SLICE_WALL_NS // wall_ns
        elif virtual_ns >= self.virtual_ns:
            wanted_ns = min(2 * virtual_ns, virtual_ns * SLICE_WALL_NS // max(wall_ns, 1))
        else:
            return  # a slice that the schedule has cut says nothing about a full one
        self.virtual_ns = min(max(wanted_ns, _SMALLEST_SLICE_NS), _LARGEST_SLICE_NS)
