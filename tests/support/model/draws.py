"""Draws random durations for the tests; the model itself draws no exponential ones."""

from random import Random


def exponential_ns(random: Random, mean_ns: int) -> int:
    """Return an exponentially distributed duration."""
    return round(random.expovariate(1 / mean_ns))
