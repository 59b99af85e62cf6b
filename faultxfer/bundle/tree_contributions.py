"""What each feature adds to the score of trees, against given reference rows: exact, in arrays.

Interventional Shapley values (Lundberg et al., "From local explanations to global understanding
with explainable AI for trees", Nature Machine Intelligence 2020): a feature that is not known takes
its value from the reference row, never from the training rows of a node, as LightGBM's
``pred_contrib`` has it.

For one row and one reference, a leaf counts only where each of its conditions holds for one of
them. With ``p`` features whose conditions hold for the row alone and ``q`` for the reference alone,
each of the ``p`` gets ``(p-1)! q! / (p+q)!`` of the leaf's value, and each of the ``q`` loses
``p! (q-1)! / (p+q)!`` of it. The conditions of one feature on the way to a leaf are one interval,
and which of a leaf's intervals hold is one number, a bit for each. References in the same intervals
share that number, so that each combination is counted once, not once for every reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

# Bits of an integer: features on the way to one leaf.
_MOST_FEATURES = 63
# Cells (rows x intervals) at a time.
_CELLS = 4_000_000
_CATEGORICAL = 1


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees; leaf ``l`` has the intervals ``starts[l]`` up to ``starts[l + 1]``.

    Attributes:
        values: (l,) what a leaf adds to the score.
        starts: (l + 1,) positions among the intervals.
        feature, low, high: (i,) of each interval: it holds where ``low < x[feature] <= high``.
        bit: (i,) int64 power of two of the interval, among those of its leaf.
    """

    values: np.ndarray
    starts: np.ndarray
    feature: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bit: np.ndarray

    def holding(self, X: np.ndarray) -> np.ndarray:
        """(n, k) rows to (n, l) int64: the bits of each leaf's intervals that hold."""
        step = max(1, _CELLS // max(1, len(self.feature)))
        pieces = [self._holding(X[at : at + step]) for at in range(0, len(X), step)]
        return np.concatenate(pieces) if pieces else np.zeros((0, len(self.values)), np.int64)

    def _holding(self, X: np.ndarray) -> np.ndarray:
        read = X[:, self.feature]
        bits = np.where((read > self.low) & (read <= self.high), self.bit, 0)
        return np.asarray(np.add.reduceat(bits, self.starts[:-1], axis=1))

    @property
    def every(self) -> np.ndarray:
        """(l,) int64: the bits of all intervals of each leaf."""
        return np.asarray(np.add.reduceat(self.bit, self.starts[:-1]))


def read_leaves(text: str) -> Leaves | None:
    """The leaves of LightGBM text, whose values add up; None where no tree has a split.

    Raises:
        ValueError: a split is categorical, a leaf holds a linear model, or a way to a leaf looks at
            more than 63 features.
    """
    values: list[float] = []
    ways: list[dict[int, tuple[float, float]]] = []
    for tree in text.split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)
        if int(fields["num_leaves"]) > 1:
            _add_tree(fields, values, ways)
    if not values:
        return None
    return _as_arrays(np.array(values), ways)


def _add_tree(
    fields: dict[str, str], values: list[float], ways: list[dict[int, tuple[float, float]]]
) -> None:
    """Walk down from the root, with the interval of each feature on the way."""
    if fields.get("is_linear", "0") != "0":
        raise ValueError("A leaf holds a linear model")
    feature, left, right = (
        list(map(int, fields[name].split()))
        for name in ("split_feature", "left_child", "right_child")
    )
    kinds = map(int, fields["decision_type"].split())
    if any(kind & _CATEGORICAL for kind in kinds):
        raise ValueError("A split is categorical")
    threshold = list(map(float, fields["threshold"].split()))
    leaf_value = list(map(float, fields["leaf_value"].split()))
    ahead: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while ahead:
        node, way = ahead.pop()
        if node < 0:
            values.append(leaf_value[~node])
            ways.append(way)
            continue
        name, cut = feature[node], threshold[node]
        low, high = way.get(name, (-np.inf, np.inf))
        ahead.append((left[node], {**way, name: (low, min(high, cut))}))
        ahead.append((right[node], {**way, name: (max(low, cut), high)}))


def _as_arrays(values: np.ndarray, ways: list[dict[int, tuple[float, float]]]) -> Leaves:
    sizes = np.array([len(way) for way in ways])
    if sizes.max() > _MOST_FEATURES:
        raise ValueError(f"A way to a leaf looks at {sizes.max()} features")
    features = np.array([name for way in ways for name in way])
    limits = np.array([interval for way in ways for interval in way.values()])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    bit = np.left_shift(np.int64(1), place.astype(np.int64))
    return Leaves(values, starts, features, limits[:, 0], limits[:, 1], bit)


class TreeContributions:
    """Shapley values of trees against some of a pool of reference rows.

    Args:
        text: the trees, as LightGBM text.
        pool: (m, k) reference rows, as the trees read them.

    Raises:
        ValueError: see :func:`read_leaves`.
    """

    def __init__(self, text: str, pool: np.ndarray) -> None:
        self._features = pool.shape[1]
        self._leaves = read_leaves(text)
        self._patterns = None
        if self._leaves is not None:
            self._patterns = _Patterns(self._leaves, pool)

    def __call__(self, X: np.ndarray, nearest: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n, k) what each feature adds to the score, summed over the references.

        Args:
            X: (n, k) rows, as the trees read them.
            nearest: (n, j) positions of each row's references in the pool.
            scale: (n, j) what each reference counts for.
        """
        found = np.zeros((len(X), self._features))
        if self._leaves is None or self._patterns is None:
            return found
        step = max(1, _CELLS // len(self._leaves.feature))
        for start in range(0, len(X), step):
            held = self._leaves.holding(X[start : start + step])
            for place, bits in enumerate(held, start):
                met = self._patterns.met_by(bits, nearest[place], scale[place])
                found[place] = _spread(self._leaves, *met, self._features)
        return found


class _Patterns:
    """Which of a leaf's intervals the references of a pool hold, each combination once.

    Args:
        leaves: of the trees.
        pool: (m, k) reference rows.
    """

    def __init__(self, leaves: Leaves, pool: np.ndarray) -> None:
        # Leaf by leaf, so that what is sorted lies together.
        self._held, self._every = leaves.holding(pool), leaves.every
        held = np.ascontiguousarray(self._held.T)
        order = np.argsort(held, axis=1, kind="stable")
        ranked = np.take_along_axis(held, order, axis=1)
        first = np.ones(ranked.shape, dtype=bool)
        first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
        counted = np.cumsum(first.ravel()) - 1
        number = np.empty(held.shape, dtype=np.int32)
        np.put_along_axis(number, order, counted.reshape(first.shape), axis=1)
        self.number = np.ascontiguousarray(number.T)
        self.leaf = np.nonzero(first)[0]
        self.bits = ranked[first]
        self.every = self._every[self.leaf]

    def met_by(
        self, held: np.ndarray, nearest: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Leaves that count for a row with the bits ``held`` (l,), and for what.

        Returns:
            (p,) of each leaf and combination: the leaf, the sum of the ``scale`` of its references,
            the bits of the row alone, and those of the references alone.
        """
        counts = self._counts(nearest, scale, self._within_reach(held, nearest))
        some = np.flatnonzero(counts)
        own, other = held[self.leaf[some]], self.bits[some]
        alive = ((own | other) == self.every[some]) & (own != other)
        some, own, other = some[alive], own[alive], other[alive]
        return self.leaf[some], counts[some], own & ~other, other & ~own

    def _within_reach(self, held: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        """Leaves each of whose intervals holds for the row or for some reference: few of all."""
        of_any = np.bitwise_or.reduce(self._held[nearest], axis=0)
        return np.flatnonzero((held | of_any) == self._every)

    def _counts(self, nearest: np.ndarray, scale: np.ndarray, leaves: np.ndarray) -> np.ndarray:
        """(p,) the sum of the ``scale`` of the references of each combination at these leaves."""
        numbers, many = self.number[nearest[:, None], leaves].ravel(), len(self.bits)
        if (scale == scale[0]).all():
            return np.asarray(np.bincount(numbers, minlength=many) * scale[0])
        return np.bincount(numbers, weights=np.repeat(scale, len(leaves)), minlength=many)


def _spread(
    leaves: Leaves,
    leaf: np.ndarray,
    count: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    features: int,
) -> np.ndarray:
    """(k,) the leaves' values, handed out to the features by whom they are held."""
    p, q = np.bitwise_count(own), np.bitwise_count(other)
    amount = leaves.values[leaf] * count
    found = np.zeros(features)
    for bits, each in ((own, amount * _GAIN[p, q]), (other, -amount * _GAIN[q, p])):
        found += _by_bits(leaves, leaf, bits, each, features)
    return found


def _by_bits(
    leaves: Leaves, leaf: np.ndarray, bits: np.ndarray, each: np.ndarray, features: int
) -> np.ndarray:
    """(k,) ``each`` added to the feature of every bit, one bit of all leaves after the other."""
    found = np.zeros(features)
    start = leaves.starts[leaf]
    while len(some := np.flatnonzero(bits)):
        start, bits, each = start[some], bits[some], each[some]
        lowest = bits & -bits
        place = start + np.bitwise_count(lowest - 1)
        found += np.bincount(leaves.feature[place], weights=each, minlength=features)
        bits = bits ^ lowest
    return found


def _gains() -> np.ndarray:
    """``(p-1)! q! / (p+q)!`` for every p and q that sum up to 63; 0 where p is 0."""
    found = np.zeros((_MOST_FEATURES + 1, _MOST_FEATURES + 1))
    for p in range(1, _MOST_FEATURES + 1):
        for q in range(_MOST_FEATURES + 1 - p):
            found[p, q] = factorial(p - 1) * factorial(q) / factorial(p + q)
    return found


_GAIN = _gains()
