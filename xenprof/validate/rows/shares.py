"""Row 9: the shares that the credit scheduler gives to domains that compute all the time.

They are those of the original C, which misses its own weights. Source: sched_credit.c of
3.0.3-branched and of 3.1.0-branched, compiled unchanged and driven by an event loop: ten phases
and orders of creation, 600 s each, beside a domain 0 that wakes at random.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import SECOND, Window, boot, guest, work

_POINTS: Final = 1.0
_DURATION_NS: Final = 120 * SECOND


@dataclass(frozen=True, slots=True)
class Case:
    """Guests with their weights and caps, and their shares under the rules of both versions."""

    name: str
    weights: tuple[int, ...]
    shares: Mapping[str, tuple[float, ...]]
    caps: tuple[int, ...] = ()
    pcpus: int = 1


_EIGHT: Final = {
    "3.0.3": (3.5, 6.9, 10.2, 13.6, 16.8, 16.8, 17.2, 14.8),
    "3.1": (3.1, 6.0, 8.8, 11.8, 14.5, 16.9, 18.7, 19.8),
}
CASES: Final = (
    Case("weights 256 to 2048", tuple(256 * k for k in range(1, 9)), _EIGHT),
    Case("weights 32 to 256", tuple(32 * k for k in range(1, 9)), _EIGHT),
    Case(
        "weights 1:1:2",
        (256, 256, 512),
        {"3.0.3": (26.9, 26.9, 45.8), "3.1": (25.0, 25.0, 49.4)},
    ),
    Case(
        "weights 1:2:4",
        (256, 512, 1024),
        {"3.0.3": (18.4, 33.0, 48.2), "3.1": (14.8, 29.4, 55.2)},
    ),
    Case("weights 1:65535", (1, 65_535), {"3.0.3": (3.3, 96.2), "3.1": (0.35, 99.2)}),
    Case(
        "cap 25 beside no cap",
        (256, 256),
        {"3.0.3": (26.6, 72.9), "3.1": (22.8, 76.6)},
        caps=(25, 0),
    ),
    Case("cap 10 alone", (256,), {"3.0.3": (10.0,), "3.1": (10.0,)}, caps=(10,)),
    Case("cap 25 alone", (256,), {"3.0.3": (26.9,), "3.1": (25.0,)}, caps=(25,)),
    Case("cap 33 alone", (256,), {"3.0.3": (33.2,), "3.1": (33.0,)}, caps=(33,)),
    Case("cap 50 alone", (256,), {"3.0.3": (49.9,), "3.1": (50.0,)}, caps=(50,)),
    Case("cap 75 alone", (256,), {"3.0.3": (72.7,), "3.1": (74.1,)}, caps=(75,)),
    Case("cap 90 alone", (256,), {"3.0.3": (87.1,), "3.1": (88.4,)}, caps=(90,)),
    Case(
        "weights 2:1:1 on 2 pcpus",
        (512, 256, 256),
        {"3.0.3": (99.7, 49.9, 49.9), "3.1": (99.3, 50.0, 50.0)},
        pcpus=2,
    ),
)
RULES: Final = ("3.0.3", "3.1")


def shares(case: Case, rules: str, seed: int) -> tuple[float, ...]:
    """Return the share of each guest over two minutes, in percent of a pcpu."""
    caps = case.caps or (0,) * len(case.weights)
    host = boot(
        {"cpu": "p4", "sockets": 1, "cores_per_socket": case.pcpus, "threads_per_core": 1}
        | {"hypervisor": rules},
        *(
            guest(f"g{number}", work("cpu"), weight=weight, cap=cap)
            for number, (weight, cap) in enumerate(zip(case.weights, caps, strict=True))
        ),
        domain0={"vcpus": 1},
        seed=seed,
    )
    window = Window(host, 0, _DURATION_NS)
    return tuple(window.share(f"g{number}") for number in range(len(case.weights)))


def largest_difference(case: Case, rules: str, seed: int) -> tuple[float]:
    """Return how far the share of a guest is from the original's at most, in points."""
    pairs = zip(shares(case, rules, seed), case.shares[rules], strict=True)
    return (max(abs(ours - original) for ours, original in pairs),)


def _experiment(case: Case, rules: str) -> Experiment:
    listed = " ".join(f"{share:g}" for share in case.shares[rules])
    figure = Figure(
        metric=f"shares of {case.name}, {rules}: largest difference",
        unit="points",
        published=0,
        low=None,
        high=_POINTS,
        use="predicted",
        source=f"sched_credit.c of Xen {rules}, compiled and run: {listed}",
    )
    return Experiment(9, largest_difference, (figure,), (case, rules))


EXPERIMENTS: Final = tuple(_experiment(case, rules) for rules in RULES for case in CASES)
