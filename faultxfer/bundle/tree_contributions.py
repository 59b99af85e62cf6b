"""What each feature adds to the score of trees, against given reference rows: exact, in arrays.

Interventional Shapley values (Lundberg et al., "From local explanations to global understanding
with explainable AI for trees", Nature Machine Intelligence 2020): a feature that is not known takes
its value from the reference row, never from the training rows of a node, as LightGBM's
``pred_contrib`` has it.

For one row and one reference, a leaf counts only where each of its conditions holds for one of
them. With ``p`` features whose conditions hold for the row alone and ``q`` for the reference alone,
each of the ``p`` gets ``(p-1)! q! / (p+q)!`` of the leaf's value, and each of the ``q`` loses
``p! (q-1)! / (p+q)!`` of it. The conditions of one feature on the way to a leaf are one interval,
and which of a leaf's intervals a row misses is one small number, a bit for each. A leaf counts
where the row and the reference miss none in common. What the row alone holds is what the reference
misses, and the other way round, so both are handed out by numbers that are known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.sparse import csr_array

# Bits of an integer but one: features on the way to one leaf.
_MOST_FEATURES = 63
# Rows at a time whose intervals are looked up, which are few enough to stay in the cache.
_ROWS = 64
# Cells (rows x references x leaves) at a time.
_CELLS = 800_000
_CATEGORICAL = 1


@dataclass(frozen=True)
class _Place:
    """The intervals that stand at one place of each leaf's, of the first leaves alone.

    An interval holds where ``first <= code <= first + span``, ``code`` being how many of the
    feature's cuts lie below the reading: whole numbers are compared in far less time than readings.
    """

    feature: np.ndarray
    first: np.ndarray
    span: np.ndarray


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees, those with the most intervals first.

    Attributes:
        values: (l,) what a leaf adds to the score.
        features: (l, k) feature of each interval of a leaf; 0 behind its last.
        places: k times the intervals of the leaves that have as many.
        cuts: sorted ends of the intervals of each feature.
        bits: type of a leaf's bits: one for each interval, and the highest for none of them.
    """

    values: np.ndarray
    features: np.ndarray
    places: tuple[_Place, ...]
    cuts: tuple[np.ndarray, ...]
    bits: np.dtype[np.unsignedinteger]

    @property
    def none(self) -> int:
        """The bit of a leaf that a row reaches, missing none of its intervals."""
        return int(1 << (8 * self.bits.itemsize - 1))

    def missed(self, X: np.ndarray) -> np.ndarray:
        """(n, k) rows to (n, l): the bits of each leaf's intervals that they miss, or of none."""
        found = np.zeros((len(self.values), len(X)), dtype=self.bits)
        for start in range(0, len(X), _ROWS):
            found[:, start : start + _ROWS] = self._missed(X[start : start + _ROWS])
        found[found == 0] = self.none
        return np.ascontiguousarray(found.T)

    def _missed(self, X: np.ndarray) -> np.ndarray:
        # Rows stand side by side, so that each interval reads them in one go.
        codes = np.zeros((len(self.cuts), len(X)), dtype=np.uint32)
        for feature, cuts in enumerate(self.cuts):
            codes[feature] = np.searchsorted(cuts, X[:, feature])
        found = np.zeros((len(self.values), len(X)), dtype=self.bits)
        for number, place in enumerate(self.places):
            # What lies below the first wraps round to a number beyond any span.
            beyond = codes[place.feature] - place.first[:, None] > place.span[:, None]
            found[: len(beyond)] |= beyond * self.bits.type(1 << number)
        return found


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
    most = int(sizes.max())
    if most > _MOST_FEATURES:
        raise ValueError(f"A way to a leaf looks at {most} features")
    order = np.argsort(-sizes, kind="stable")
    sizes = sizes[order]
    features = np.zeros((len(ways), most), dtype=np.int32)
    limits = np.zeros((len(ways), most, 2))
    inside = np.arange(most) < sizes[:, None]
    features[inside] = [name for at in order for name in ways[at]]
    limits[inside] = [interval for at in order for interval in ways[at].values()]
    cuts = _cuts(features[inside], limits[inside])
    places = []
    for number in range(most):
        count = int(inside[:, number].sum())
        places.append(_place(features[:count, number], limits[:count, number], cuts))
    bits = np.dtype(f"u{next(size for size in (1, 2, 4, 8) if most < 8 * size)}")
    return Leaves(values[order], features, tuple(places), cuts, bits)


def _cuts(feature: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sorted finite ends of the intervals of each feature up to the last that is read."""
    found = []
    for name in range(int(feature.max()) + 1):
        ends = np.unique(limits[feature == name])
        found.append(ends[np.isfinite(ends)])
    return tuple(found)


def _place(feature: np.ndarray, limits: np.ndarray, cuts: tuple[np.ndarray, ...]) -> _Place:
    """Intervals ``low < reading <= high`` by how many cuts lie below a reading."""
    first, last = np.zeros(len(feature), np.uint32), np.zeros(len(feature), np.uint32)
    for name in np.unique(feature):
        own = feature == name
        # A cut lies below a reading that is beyond it, not at it.
        first[own] = np.searchsorted(cuts[name], limits[own, 0], side="right")
        last[own] = np.searchsorted(cuts[name], limits[own, 1])
    return _Place(feature, first, last - first)


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
        leaves = read_leaves(text)
        self._pairs = None if leaves is None else _Pairs(leaves, pool)

    def __call__(self, X: np.ndarray, nearest: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n, k) what each feature adds to the score, summed over the references.

        Args:
            X: (n, k) rows, as the trees read them.
            nearest: (n, j) positions of each row's references in the pool.
            scale: (n, j) what each reference counts for.
        """
        found = np.zeros((len(X), self._features))
        if self._pairs is None or not len(X):
            return found
        missed = self._pairs.leaves.missed(X)
        step = max(1, _CELLS // (nearest.shape[1] * missed.shape[1]))
        for start in range(0, len(X), step):
            some = slice(start, start + step)
            by_feature = self._pairs.spread(missed[some], nearest[some], scale[some])
            found[some, : by_feature.shape[1]] = by_feature
        return found


class _Pairs:
    """Leaves that count for pairs of a row and a reference of a pool.

    Args:
        leaves: of the trees.
        pool: (m, k) reference rows.
    """

    def __init__(self, leaves: Leaves, pool: np.ndarray) -> None:
        self.leaves, self._missed = leaves, leaves.missed(pool)
        # Leaf by leaf beside it, as the references of one leaf are read together.
        self._by_leaf = np.ascontiguousarray(self._missed.T)
        self._count = _how_many(self._by_leaf, leaves)
        self._number, self._whose = self._combinations()

    def _combinations(self) -> tuple[np.ndarray, csr_array]:
        """(l, m) number of what a reference misses of a leaf, and the features of each number."""
        order = np.argsort(self._by_leaf, axis=1, kind="stable")
        ranked = np.take_along_axis(self._by_leaf, order, axis=1)
        first = np.ones(ranked.shape, dtype=bool)
        first[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
        counted = np.cumsum(first.ravel(), dtype=np.int32) - 1
        number = np.empty(ranked.shape, dtype=np.int32)
        np.put_along_axis(number, order, counted.reshape(first.shape), axis=1)
        return number, _whose(self.leaves, np.nonzero(first)[0], ranked[first])

    def spread(self, missed: np.ndarray, nearest: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n, k) the leaves' values, handed out to the features by whom they are held.

        Args:
            missed: (n, l) bits of the rows.
            nearest: (n, j) positions of their references.
            scale: (n, j) what each of these counts for.
        """
        row, leaf = self._within_reach(missed, nearest)
        own, references = missed[row, leaf], nearest.shape[1]
        # (p, j) places of the leaf and each reference; those where the leaf counts are kept.
        at = (leaf * self._by_leaf.shape[1])[:, None] + nearest[row]
        alive = np.flatnonzero((self._by_leaf.take(at) & own[:, None]) == 0)
        met, at = alive // references, at.take(alive)
        amount = (scale[row] * self.leaves.values[leaf][:, None]).take(alive)
        p = self._count.take(at).astype(int)
        q = _how_many(own, self.leaves).astype(int).take(met)
        gained = amount * _GAIN.take(p * len(_GAIN) + q)
        lost = np.bincount(met, amount * _GAIN.take(p + q * len(_GAIN)), minlength=len(row))
        ends = np.searchsorted(row, np.arange(len(missed) + 1)) * references
        numbers = (gained, self._number.take(at), np.searchsorted(alive, ends))
        of_row = csr_array(numbers, shape=(len(missed), self._whose.shape[0]))
        found = np.asarray((of_row @ self._whose).toarray())
        place, each = self._lost(row, leaf, own, lost)
        return found - np.bincount(place, each, minlength=found.size).reshape(found.shape)

    def _lost(
        self, row: np.ndarray, leaf: np.ndarray, missed: np.ndarray, amounts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places among (n * k,) rows and features whose intervals they miss, and what these lose.

        All of the arguments are (p,).
        """
        some = _each(missed, self.leaves)
        place = row[:, None] * len(self.leaves.cuts) + self.leaves.features[leaf]
        return place[some], np.repeat(amounts, some.sum(axis=1))

    def _within_reach(
        self, missed: np.ndarray, nearest: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows and leaves no interval of which the row and all of its references miss: few."""
        of_all = np.bitwise_and.reduce(self._missed[nearest], axis=1)
        row, leaf = np.divmod(np.flatnonzero((of_all & missed) == 0), missed.shape[1])
        return row, leaf


def _how_many(missed: np.ndarray, leaves: Leaves) -> np.ndarray:
    """How many intervals are missed."""
    return np.asarray(np.bitwise_count(missed & leaves.bits.type(leaves.none - 1)))


def _each(missed: np.ndarray, leaves: Leaves) -> np.ndarray:
    """(p, i) bool: which intervals are missed."""
    places = np.arange(leaves.features.shape[1], dtype=leaves.bits)
    return np.asarray(((missed[:, None] >> places) & leaves.bits.type(1)) == 1)


def _whose(leaves: Leaves, leaf: np.ndarray, missed: np.ndarray) -> csr_array:
    """(p, k) 1 where a leaf's bits have the interval of a feature."""
    some = _each(missed, leaves)
    ends = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
    features = leaves.features[leaf][some]
    shape = (len(leaf), len(leaves.cuts))
    return csr_array((np.ones(len(features)), features, ends), shape=shape)


def _gains() -> np.ndarray:
    """``(p-1)! q! / (p+q)!`` for every p and q that sum up to 63; 0 where p is 0."""
    found = np.zeros((_MOST_FEATURES + 1, _MOST_FEATURES + 1))
    for p in range(1, _MOST_FEATURES + 1):
        for q in range(_MOST_FEATURES + 1 - p):
            found[p, q] = factorial(p - 1) * factorial(q) / factorial(p + q)
    return found


_GAIN = _gains()
