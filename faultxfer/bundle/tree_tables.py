"""Sums over trees for many rows: tables and bits in place of walks from node to node.

After QuickScorer (Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees", SIGIR 2015). The leaves of a tree are numbered from left to right,
one bit each. A reading that is above a node's threshold rules out the leaves to the left of it; of
the leaves that no sensor rules out the first is the one that the row reaches. For each sensor a
table has a line for each interval between its thresholds, with what is left of every tree. A row
costs a line of each table, where LightGBM's own walk waits at each node for a branch that nobody
can foretell: measured, a third to a quarter of its time. The leaves are the same ones, as readings
are compared with the same thresholds in double precision.
"""

from __future__ import annotations

import numpy as np

from faultxfer.data.cuts import Cuts

# Rows at a time, whose bits stay in the cache.
_ROWS = 512
# Trees with more leaves than an integer has bits are walked.
_MOST_LEAVES = 64
# So are trees that read so many sensors that a line of each table is more than a walk, and trees
# whose tables would not fit into a cache.
_MOST_SENSORS, _MOST_BYTES = 64, 64_000_000
# LightGBM takes readings up to this for 0, above a threshold that is as far below 0.
_ZERO = float(np.float32(1e-35))
# Kinds of splits: the lowest bit says categorical, the next but one that zeros count as missing.
_OTHER_SPLITS = 0b101


class TreeTables:
    """Sums over all trees for finite readings, before any link.

    Args:
        places: (s,) columns of the sensors that the trees read.
        cuts: thresholds of each of these, and no others.
        left: (k, t) bits of the leaves of the trees that are not ruled out between two cuts.
        values: (t, bits) of the leaves.
    """

    def __init__(
        self, places: np.ndarray, cuts: Cuts, left: np.ndarray, values: np.ndarray
    ) -> None:
        self.cuts = cuts
        self._places, self._left, self._values = places, left, values.ravel()
        self._first = np.arange(len(values)) * values.shape[1]

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings, as the trees see them, to the (n,) sums."""
        found = np.empty(len(X))
        for start in range(0, len(X), _ROWS):
            some = slice(start, start + _ROWS)
            found[some] = self._sums(self.cuts(X[some, self._places]))
        return found

    def _sums(self, lines: np.ndarray) -> np.ndarray:
        left = self._left.take(lines[:, 0], axis=0)
        more = np.empty_like(left)
        for own in lines.T[1:]:
            # Every line is there; to look at that again costs a copy.
            np.take(self._left, own, axis=0, out=more, mode="clip")
            np.bitwise_and(left, more, out=left)
        # The bits below the lowest one that is left are as many as its number.
        first = np.bitwise_count(~left & (left - left.dtype.type(1)))
        return np.asarray(self._values.take(self._first + first).sum(axis=1))


def tree_tables(text: str) -> TreeTables | None:
    """The tables of LightGBM text; None where its trees are better walked.

    Those are trees of many leaves or sensors, and of splits other than by a threshold.
    """
    trees = [_fields(tree) for tree in text.split("\nTree=")[1:]]
    split = [tree for tree in trees if int(tree["num_leaves"]) > 1]
    if not split or any(map(_is_walked, split)):
        return None
    bits = 8 * _bits(max(int(tree["num_leaves"]) for tree in split)).itemsize
    values = np.zeros((len(trees), bits))
    cuts: list[tuple[int, float, int, int]] = []
    for number, tree in enumerate(trees):
        leaves = _numbers(tree, "leaf_value")
        if len(leaves) == 1:
            values[number, 0] = leaves[0]  # with no bit ruled out the first leaf is reached
            continue
        ranked = _ranked(number, tree, cuts)
        values[number, : len(ranked)] = leaves[ranked]
    sensors = sorted({cut[0] for cut in cuts})
    size = (len(cuts) + len(sensors)) * len(trees) * bits // 8
    if len(sensors) > _MOST_SENSORS or size > _MOST_BYTES:
        return None
    kind = np.dtype(f"u{bits // 8}")
    tables = [_lines(place, cuts, len(trees), kind) for place in sensors]
    thresholds, left = zip(*tables, strict=True)
    return TreeTables(np.array(sensors), Cuts(thresholds), np.vstack(left), values)


def _fields(tree: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)


def _numbers(tree: dict[str, str], name: str) -> np.ndarray:
    return np.array(tree[name].split(), dtype=np.float64)


def _is_walked(tree: dict[str, str]) -> bool:
    kinds = map(int, tree["decision_type"].split())
    linear = tree.get("is_linear", "0") != "0"
    large = int(tree["num_leaves"]) > _MOST_LEAVES
    return linear or large or any(kind & _OTHER_SPLITS for kind in kinds)


def _bits(leaves: int) -> np.dtype[np.unsignedinteger]:
    """The smallest type with a bit for each leaf."""
    return np.dtype(f"u{next(size for size in (1, 2, 4, 8) if leaves <= 8 * size)}")


def _ranked(
    number: int, tree: dict[str, str], cuts: list[tuple[int, float, int, int]]
) -> list[int]:
    """Leaves of a tree from left to right; adds its nodes to the cuts.

    A cut is the place of a sensor, a threshold, the number of the tree, and the bits of the leaves
    that a reading above it rules out.
    """
    left, right = (list(map(int, tree[name].split())) for name in ("left_child", "right_child"))
    ranked: list[int] = []
    first: dict[int, int] = {}
    ahead = [(0, False)]
    places, thresholds = _numbers(tree, "split_feature"), _numbers(tree, "threshold")
    thresholds[thresholds == -_ZERO] = np.nextafter(-_ZERO, -np.inf)
    while ahead:
        node, is_left_done = ahead.pop()
        if node < 0:
            ranked.append(~node)
        elif is_left_done:
            ruled_out = (1 << len(ranked)) - (1 << first[node])
            cuts.append((int(places[node]), float(thresholds[node]), number, ruled_out))
            ahead.append((right[node], False))
        else:
            first[node] = len(ranked)
            ahead += [(node, True), (left[node], False)]
    return ranked


def _lines(
    place: int,
    cuts: list[tuple[int, float, int, int]],
    trees: int,
    kind: np.dtype[np.unsignedinteger],
) -> tuple[np.ndarray, np.ndarray]:
    """(c,) thresholds of a sensor, and (c + 1, t) what each line leaves of the trees.

    A line rules out what all thresholds below it do.
    """
    own = [cut for cut in cuts if cut[0] == place]
    thresholds = np.unique([cut[1] for cut in own])
    every = int(np.iinfo(kind).max)
    left = np.full((len(thresholds) + 1, trees), every, dtype=kind)
    lines = np.searchsorted(thresholds, [cut[1] for cut in own]) + 1
    for line, (_, _, tree, ruled_out) in zip(lines.tolist(), own, strict=True):
        left[line, tree] &= kind.type(every & ~ruled_out)
    return thresholds, np.bitwise_and.accumulate(left, axis=0)
