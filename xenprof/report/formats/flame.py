"""Makes the data of both flame graphs: nodes with names, layers and, compared, differences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xenprof.profile.stacks import StackProfile
from xenprof.report.formats.marked import marked
from xenprof.report.formats.request import Request
from xenprof.report.views.paths import Ints, image_text, joined
from xenprof.report.views.significance import LEVEL, holm, p_values
from xenprof.report.views.tree import Tree, tree

KINDS = ("user", "kernel", "hypervisor", "domain", "all")
"""The meanings of colours. `domain` is the mark where one begins, `all` the root."""


@dataclass(frozen=True, slots=True)
class Flame:
    """A tree whose codes index `names`, `images` and `kinds` (numbers of KINDS).

    `after` are the columns of the tree's numbers: [samples], or [before, after] in a comparison;
    then `is_noise` tells which nodes' shares differ only by chance. Names of the root
    are not among them.
    """

    nodes: Tree
    names: tuple[str, ...]
    images: tuple[str, ...]
    kinds: tuple[int, ...]
    event: str
    is_noise: Ints | None

    @property
    def totals(self) -> list[int]:
        """Return the number of all samples for each column."""
        return [int(total) for total in self.nodes.total[0]]


def flame(request: Request) -> Flame:
    """Return the flame graph of a request."""
    profile, values = request.profile, request.profile.values[:, request.event : request.event + 1]
    if request.base is not None:
        profile, split = joined(request.base, request.profile)
        values = np.zeros((len(profile.stacks), 2), np.int64)
        values[:split, 0] = profile.values[:split, 0]
        values[split:, 1] = profile.values[split:, 0]
    found = marked(profile, with_images=not _has_calls(profile))
    nodes = tree(found.paths, values)
    kind = request.profile.types[request.event] if request.profile.types else None
    return Flame(
        nodes,
        tuple(_name(*key) for key in found.keys),
        tuple(f"{key[0]}: {key[2]}" if key[2] else "" for key in found.keys),
        tuple(_kind(*key) for key in found.keys),
        kind.text if kind else "",
        None if request.base is None else _noise(nodes),
    )


def _name(domain: str, layer: str, image: str, symbol: str) -> str:
    return symbol or (image_text(image) if layer else domain)


def _kind(domain: str, layer: str, image: str, symbol: str) -> int:
    names_domain = not layer or (not image and symbol.startswith("["))
    return KINDS.index("domain" if names_domain else layer)


def _has_calls(profile: StackProfile) -> bool:
    return any(len(stack) > 1 for stack in profile.stacks)


def _noise(nodes: Tree) -> Ints:
    """Return 1 for each node whose shares differ only by chance, by the same test as in tables.

    Most nodes of a large graph have too few samples ever to pass, and are not
    tested, but the correction for many tests counts them.
    """
    before, after = nodes.total[:, 0], nodes.total[:, 1]
    totals = int(before[0]), int(after[0])
    p = np.ones(len(nodes))
    if min(totals):
        # n samples give the least p if all of them are in the smaller session.
        rarer = min(totals) / sum(totals)
        enough = math.log(LEVEL / 2 / len(nodes)) / math.log(rarer)
        tested = np.flatnonzero(before + after >= enough)
        tested = tested[tested > 0]
        p[tested] = p_values(before[tested], after[tested], *totals)
        p[1:] = holm(p[1:])
    return (p >= LEVEL).astype(np.int64)


def legend(of: Flame) -> Mapping[str, str]:
    """Return the name of each kind that occurs."""
    words = {"user": "user", "kernel": "kernel", "hypervisor": "hypervisor", "domain": "domain"}
    present = {KINDS[kind] for kind in of.kinds}
    return {kind: text for kind, text in words.items() if kind in present}
