"""Experiments for the tests of running them: functions that other processes can find."""

from dataclasses import replace

from xenprof.validate.figure import Experiment, Figure


def figure(metric="m", low=0.0, high=1.0, **given) -> Figure:
    """Return a figure that was published as 0.5, unless `given` says otherwise."""
    plain = Figure(metric, "u", 0.5, low, high, "predicted", "s")
    return replace(plain, **given)


def seed_and(word: str, seed: int) -> tuple[float, ...]:
    """Return the seed, and the length of a word."""
    return seed, len(word)


def broken(seed: int) -> tuple[float, ...]:
    """Fail."""
    raise ArithmeticError(f"seed {seed}")


def experiment(row: int, word: str, seeds: int = 3) -> Experiment:
    """Return one with two figures."""
    return Experiment(row, seed_and, (figure("seed"), figure("length")), (word,), seeds)
