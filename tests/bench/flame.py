"""Benchmark of today's formats: a profile of a hundred thousand distinct joined stacks."""

import gzip
import random
from functools import partial

import numpy as np

from tests.bench.table import Row, repeat
from tests.support.pprof_proto import message_class
from xenprof.profile.stacks import Frame, Layer, SampleType, StackProfile
from xenprof.report.formats import load
from xenprof.report.formats.request import Request

RUNS = 5
STACKS = 100_000
FUNCTIONS = 1500
LIMIT_SECONDS = 3.0


def run() -> list[Row]:
    """Return seconds from the profile to the bytes of a file."""
    profile = _profile()
    request = Request(profile)
    rows = []
    for name in ("flamegraph.html", "flamegraph.svg"):
        seconds = repeat(RUNS, partial(_rendered, name, request))
        rows.append(_row(name, "goal", [LIMIT_SECONDS], seconds))
    theirs = repeat(RUNS, lambda: _by_the_library(profile))
    seconds = repeat(RUNS, partial(_rendered, "pprof", request))
    rows.append(_row("pprof", "protobuf library", theirs, seconds))
    return rows


def _rendered(name: str, request: Request) -> bytes:
    return b"".join(load(name)(request))


def _row(name: str, peer: str, theirs: list[float], ours: list[float]) -> Row:
    return Row(f"{name}, {STACKS:,} stacks", peer, theirs, ours, "s", limit=LIMIT_SECONDS)


def _profile() -> StackProfile:
    """Return stacks from a guest's program through its kernel and Xen, some into domain 0."""
    draw = random.Random(1)
    frames: list[Frame] = []
    ranges: dict[tuple[str, Layer], int] = {}
    for domain in ("Domain-0", "web"):
        for layer in Layer:
            ranges[domain, layer] = len(frames)
            frames += [
                Frame(f"{layer}_function_{number}", f"/image/{layer}", layer, domain)
                for number in range(FUNCTIONS)
            ]

    def part(domain: str, layer: Layer, least: int, most: int) -> list[int]:
        first = ranges[domain, layer]
        length = draw.randint(least, most)
        return [first + int(draw.paretovariate(1.1)) % FUNCTIONS for _ in range(length)]

    stacks: set[tuple[int, ...]] = set()
    while len(stacks) < STACKS:
        stack = part("web", Layer.USER, 4, 9)
        if draw.random() < 0.6:
            stack += part("web", Layer.KERNEL, 3, 8)
        if draw.random() < 0.3:
            stack += part("web", Layer.HYPERVISOR, 1, 3)
        if draw.random() < 0.2:
            stack += part("Domain-0", Layer.KERNEL, 3, 8)
        stacks.add(tuple(stack))
    values = [[int(draw.paretovariate(1.2))] for _ in range(STACKS)]
    event = SampleType("GLOBAL_POWER_EVENTS", 100_000, 1)
    return StackProfile(tuple(frames), tuple(sorted(stacks)), np.array(values), (event,))


def _by_the_library(profile: StackProfile) -> bytes:
    """Return the samples, without labels and names, as a program that uses protobuf writes them."""
    message = message_class()()
    for stack, counts in zip(profile.stacks, profile.values.tolist(), strict=True):
        places = [step + 1 for step in reversed(stack)]
        message.sample.add(location_id=places, value=[*counts, counts[0] * 100_000])
    return gzip.compress(message.SerializeToString(), 6, mtime=0)
