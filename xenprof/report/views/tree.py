"""Makes a tree of stacks: what each function called (top-down), or who called it (bottom-up)."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xenprof.report.views.paths import Ints, Paths


@dataclass(frozen=True, slots=True)
class Tree:
    """Columns by node. Node 0 is the root, with code -1; a parent stands before its children.

    Nodes are ordered by depth, the children of a node together and by code. `own` are samples that
    end at a node, `total` those that pass or end there; their columns are events.
    """

    parent: Ints
    code: Ints
    depth: Ints
    own: Ints
    total: Ints

    def __len__(self) -> int:
        """Return the number of nodes, the root among them."""
        return len(self.code)

    def levels(self) -> list[slice]:
        """Return the nodes of each depth, the root's first."""
        bounds = np.searchsorted(self.depth, np.arange(int(self.depth[-1]) + 2)).tolist()
        return [slice(start, end) for start, end in pairwise(bounds)]


def tree(of: Paths, values: Ints, *, bottom_up: bool = False) -> Tree:
    """Return the tree of some stacks; `values` has a row for each of them."""
    width = int(of.steps.max()) + 1 if len(of.steps) else 1
    node = np.zeros(len(of.lengths), np.int64)
    alive = np.arange(len(of.lengths))
    first = of.starts + (of.lengths - 1 if bottom_up else 0)
    parents, codes, depths = [np.array([-1])], [np.array([-1])], [np.array([0])]
    count = 1
    for level in range(int(of.lengths.max()) if len(of.lengths) else 0):
        alive = alive[of.lengths[alive] > level]
        step = of.steps[first[alive] + (-level if bottom_up else level)]
        names, place = np.unique(node[alive] * width + step, return_inverse=True)
        node[alive] = count + place
        parents.append(names // width)
        codes.append(names % width)
        depths.append(np.full(len(names), level + 1))
        count += len(names)
    own = np.zeros((count, values.shape[1]), np.int64)
    np.add.at(own, node, values)
    parent = np.concatenate(parents)
    total = own.copy()
    end = count
    for names in reversed(parents[1:]):
        start = end - len(names)
        np.add.at(total, names, total[start:end])
        end = start
    return Tree(parent, np.concatenate(codes), np.concatenate(depths), own, total)


def before_siblings(of: Tree, sizes: Ints, order: Ints | None = None) -> Ints:
    """Return for each node the sum of the `sizes` of its siblings before it.

    Siblings are in the order of nodes, or in the order in `order` (children of one node
    together).
    """
    order = np.arange(len(of)) if order is None else order
    along = np.cumsum(sizes[order]) - sizes[order]
    parents = of.parent[order]
    is_first = np.ones(len(of), np.bool_)
    is_first[1:] = parents[1:] != parents[:-1]
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(of)), 0))
    result = np.empty(len(of), np.int64)
    result[order] = along - along[start]
    return result


def positions(of: Tree, sizes: Ints, gap: int = 0, order: Ints | None = None) -> Ints:
    """Return where each node begins, if it has the width in `sizes` and lies inside its parent.

    The first child begins `gap` after its parent's beginning.
    """
    begin = before_siblings(of, sizes, order)
    for level in of.levels()[1:]:
        begin[level] += begin[of.parent[level]] + gap
    return begin


def preorder(of: Tree, column: int) -> Ints:
    """Return the nodes with each one's descendants after it, the largest of siblings first."""
    nodes = np.ones(len(of), np.int64)
    for level in reversed(of.levels()[1:]):
        np.add.at(nodes, of.parent[level], nodes[level])
    order = np.lexsort((of.code, -of.total[:, column], of.parent))
    result = np.empty(len(of), np.int64)
    result[positions(of, nodes, 1, order)] = np.arange(len(of))
    return result
