"""Which sensors speak: what each adds to a row's log-odds of a fault, against healthy rows.

A stack is linear in log-odds, so the contributions of its members add up exactly (Chen, Lundberg &
Lee, "Explaining a series of models by propagating Shapley values", Nature Communications 2022).
One set of references serves all members: the healthy rows most like the row, in its mode. Linear
members give ``coefficient * (feature - reference)``; trees give interventional Shapley values; a
network gives integrated gradients. Where a member's score is squeezed, as source logits are at ±8
and a forest's share is by its logit, the contributions for each reference are scaled by how much of
the difference is left.

Integrated gradients are sums over a few points of a path, so they miss the network's own difference
by a little; what is missing is added in proportion to what each sensor contributes. So every sum is
exact, and how much was added is known.

Where members read windows, a row is explained as if it had lasted, and so are its references.

A sensor that the machine lacks and that is guessed speaks for those that it is guessed from: what
it contributes is shared out among them by how far each moved the guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.frozen import (
    FILLED,
    FILLED_LINEAR,
    FILLED_TREES,
    LOGIT_LIMIT,
    Block,
    FrozenSource,
    Views,
)
from faultxfer.bundle.input_map import NEW, InputMap
from faultxfer.bundle.member_kinds.features import encode, features_of
from faultxfer.bundle.member_kinds.trees import SHARE, log_odds_of_share, tree_sums, trees_in
from faultxfer.bundle.members import (
    ADAPTED,
    CONSTANT,
    IDENTITY,
    LINEAR,
    TREES,
    Member,
    member_logits,
    together,
)
from faultxfer.bundle.tree_contributions import TreeContributions
from faultxfer.bundle.whole_source import WholeSource
from faultxfer.data.windows import KINDS, widened
from faultxfer.errors import BundleError
from faultxfer.network.path_gradients import Encoded, PathGradients

SENSORS = "sensors"
# Kinds of blocks whose features are readings of sensors, one by one.
_READINGS = (SENSORS, FILLED, NEW)
# Rows at a time, which bounds the memory for their references.
_ROWS = 256
# Differences of scores below this are none; a secant is taken this much wider then.
_NO_STEP, _STEP = 1e-9, 1e-4


@dataclass(frozen=True)
class Contributions:
    """What sensors add to the log-odds of rows.

    Attributes:
        values: (n, d) log-odds by sensor; each row sums up to ``logits - reference``.
        logits: (n,) calibrated log-odds of the rows, as they are scored.
        reference: (n,) the mean of those of each row's references.
        added: (n,) log-odds that integrated gradients had missed, part of ``values``.
    """

    values: np.ndarray
    logits: np.ndarray
    reference: np.ndarray
    added: np.ndarray


class Explainer:
    """Contributions of the sensors to what one bundle says of rows.

    Args:
        bundle: with healthy rows.

    Raises:
        BundleError: it keeps none, as those of earlier releases.
    """

    def __init__(self, bundle: Bundle) -> None:
        if bundle.references is None:
            raise BundleError(
                "This version keeps no healthy rows to explain an alarm by",
                received={"reference rows": 0},
                remedy="It was made by an older release: transfer again with "
                "`faultxfer transfer`, or pretrain again where it is a source model",
            )
        self.bundle, self.references = bundle, bundle.references
        self._pool = _Pool(bundle.of_rows(), self.references.X)
        over, self._wide_pool = bundle.of_windows(), None
        if over is not None:
            self._wide_pool = _Pool(over, self._alone(self.references.X))

    def __call__(self, X: np.ndarray, modes: np.ndarray | None = None) -> Contributions:
        """Explain rows.

        Args:
            X: (n, d) readings in engineering units, finite: missing ones filled in by
                :meth:`.Bundle.completed`.
            modes: (n,) operating mode of each row; None where the contract names none.
        """
        names = np.full(len(X), "") if modes is None else modes.astype(str)
        nearest = self.references.nearest(X, names)
        values, added, logits, of_pool = _explained(self._pool, X, nearest)
        if self._wide_pool is not None:
            wide, more, of_windows, of_wide_pool = _explained(
                self._wide_pool, self._alone(X), nearest
            )
            # A sensor speaks for its windows.
            by_sensor = wide.reshape(len(X), 1 + len(KINDS), -1).sum(axis=1)
            values[:, : by_sensor.shape[1]] += by_sensor
            added, logits, of_pool = added + more, logits + of_windows, of_pool + of_wide_pool
        calibrator = self.bundle.calibrator
        slope, offset = calibrator.slope, calibrator.offset
        reference = slope * of_pool[nearest].mean(axis=1) + offset
        return Contributions(slope * values, slope * logits + offset, reference, slope * added)

    def _alone(self, X: np.ndarray) -> np.ndarray:
        """(n, 4c) readings and windows of rows as if they had lasted."""
        windows = self.bundle.windows
        if windows is None:
            raise ValueError("No member reads windows. Received: windows=None")
        return widened(X, windows.given_or_alone(X, None))


def _explained(
    pool: _Pool, X: np.ndarray, nearest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n, d) contributions to uncalibrated logits, (n,) how much of each row's was added.

    And (n,) these logits, and (m,) those of the pool.
    """
    rows = _scored(pool.bundle, X)
    values, added = np.zeros(X.shape), np.zeros(len(X))
    for start in range(0, len(X), _ROWS):
        some = np.arange(start, min(start + _ROWS, len(X)))
        values[some], added[some] = _Against(pool, rows.take(some), nearest[some]).log_odds()
    return values, added, rows.logits, pool.rows.logits


@dataclass(frozen=True)
class _Scored:
    """Rows, what each member of a bundle says of them, and through which views; asked once.

    Attributes:
        X: (n, d) rows.
        logits: (n,) uncalibrated.
        members: (n,) uncalibrated logits of each member; none where the network decides alone.
        seen: the views; None where the network decides alone.
    """

    X: np.ndarray
    logits: np.ndarray
    members: list[np.ndarray]
    seen: Views | None

    @property
    def views(self) -> Views:
        """The rows seen through the source."""
        if self.seen is None:
            raise ValueError("There are no source models. Received: models=None")
        return self.seen

    def take(self, rows: np.ndarray) -> _Scored:
        """The rows at the given positions."""
        members = [one[rows] for one in self.members]
        seen = None if self.seen is None else self.seen.take(rows)
        return _Scored(self.X[rows], self.logits[rows], members, seen)


def _scored(bundle: Bundle, X: np.ndarray) -> _Scored:
    stack, source = bundle.stack, bundle.frozen
    if stack is None or source is None:
        return _Scored(X, bundle.logits(X), [], None)
    bundle.require_finite(X)
    views = Views(source, stack.maps, X)
    members = [member_logits(member, views) for member in stack.members]
    logits = together(stack, members) if members else np.zeros(len(X))
    return _Scored(X, logits, members, views)


class _Pool:
    """(m, d) reference rows as the members of a bundle see them, each view computed once."""

    def __init__(self, bundle: Bundle, X: np.ndarray) -> None:
        self.bundle, self.X = bundle, X
        self.stack = bundle.stack
        self._encoded: dict[str, Encoded] = {}
        self._trees: dict[str, TreeContributions] = {}

    @property
    def whole(self) -> WholeSource:
        """The source with every sensor of its own."""
        if self.source.whole is None:
            raise ValueError("The machine lacks no sensor of the source. Received: whole=None")
        return self.source.whole

    @cached_property
    def guessing(self) -> np.ndarray:
        """(c, m) weights, in the source's units, of the sensors that each lacking one follows."""
        return self.whole.guessing()[0]

    @property
    def maps(self) -> dict[str, InputMap]:
        """The input maps of the stack."""
        return {} if self.stack is None else self.stack.maps

    @property
    def source_trees(self) -> str:
        """LightGBM text of the source's trees."""
        return "" if self.bundle.models is None else self.bundle.models.trees

    @cached_property
    def rows(self) -> _Scored:
        """The pool, scored."""
        return _scored(self.bundle, self.X)

    @property
    def source(self) -> FrozenSource:
        if self.bundle.frozen is None:
            raise ValueError("There are no source models. Received: models=None")
        return self.bundle.frozen

    @property
    def views(self) -> Views:
        """The pool seen through the source."""
        return self.rows.views

    @cached_property
    def paths(self) -> PathGradients:
        return PathGradients(self.bundle.network)

    def encode(self, X: np.ndarray, by: InputMap) -> Encoded:
        """Rows behind the input layers of the network."""
        return self.paths.encode(self.bundle.scaler(by(X)))

    def encoded(self, name: str, by: InputMap) -> Encoded:
        """The pool behind them; ``name`` is that of the map, or of the member that has its own."""
        if name not in self._encoded:
            self._encoded[name] = self.encode(self.X, by)
        return self._encoded[name]

    def trees(self, name: str, text: str, features: np.ndarray) -> TreeContributions:
        """Of the trees of that name, which read these (m, k) features of the pool."""
        if name not in self._trees:
            self._trees[name] = TreeContributions(text, features)
        return self._trees[name]


class _Against:
    """Some rows against their references: contributions of one member after the other.

    Args:
        pool: all references.
        rows: n rows.
        nearest: (n, j) positions of their references in the pool.
    """

    def __init__(self, pool: _Pool, rows: _Scored, nearest: np.ndarray) -> None:
        self.pool, self.rows, self.X, self.nearest = pool, rows, rows.X, nearest

    @property
    def views(self) -> Views:
        """The rows seen through the source."""
        return self.rows.views

    def log_odds(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) contributions to the uncalibrated logit, and (n,) how much of them was added."""
        stack, pool = self.pool.stack, self.pool.rows
        if stack is None:
            return self._completed(self._network_alone(), self.rows.logits, pool.logits)
        total, added = np.zeros(self.X.shape), np.zeros(len(self.X))
        for number, member in enumerate(stack.members):
            found, missed = self._completed(
                _KINDS[member.kind](self, member), self.rows.members[number], pool.members[number]
            )
            factor = member.weight * member.slope
            total += factor * found
            added += factor * missed
        return total, added

    def _completed(
        self, found: np.ndarray, own: np.ndarray, of_pool: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Contributions that sum up to the difference, and (n,) what was missing before.

        It is handed out in proportion to what each sensor contributes, for or against.
        """
        difference = own - of_pool[self.nearest].mean(axis=1)
        missed = difference - found.sum(axis=1)
        size = np.abs(found) + _NO_STEP
        return found + missed[:, None] * size / size.sum(axis=1, keepdims=True), missed

    @property
    def _equal(self) -> np.ndarray:
        """(n, j) every reference counts the same."""
        return np.full(self.nearest.shape, 1 / self.nearest.shape[1])

    def _scale(
        self, squeeze: Callable[[np.ndarray], np.ndarray], own: np.ndarray, of_pool: np.ndarray
    ) -> np.ndarray:
        """(n, j) how much of the difference to each reference a squeezed score leaves.

        Args:
            squeeze: a function that never falls.
            own: (n,) scores before it.
            of_pool: (m,) those of the pool.
        """
        row, reference = np.broadcast_arrays(own[:, None], of_pool[self.nearest])
        low, high = np.minimum(row, reference), np.maximum(row, reference)
        wider = np.where(high - low < _NO_STEP, _STEP, 0.0)
        low, high = low - wider, high + wider
        return np.asarray(self._equal * (squeeze(high) - squeeze(low)) / (high - low))

    def identity(self, member: Member) -> np.ndarray:
        """A block is the logit."""
        return self._block(member.blocks[0], np.ones(1))

    def constant(self, member: Member) -> np.ndarray:
        """Nothing speaks."""
        return np.zeros(self.X.shape)

    def linear(self, member: Member) -> np.ndarray:
        """A linear head on blocks, then bins; constants are the same in every row."""
        found, coef = self._blocks(member.blocks, member.arrays["coef"])
        if "edges" in member.arrays:
            edges = member.arrays["edges"]
            own, of_pool = encode(self.X, edges), encode(self.pool.X, edges)
            each = self._from_mean(own, of_pool) * coef[: own.shape[1]]
            found += each.reshape(*self.X.shape, -1).sum(axis=2)
        return found

    def trees(self, member: Member) -> np.ndarray:
        """Trees on readings or their bins, and the logit that they are added to."""
        own, of_pool = features_of(member, self.views), features_of(member, self.pool.views)
        scale = self._equal
        if member.link == SHARE:
            count = trees_in(member)
            sums, sums_of_pool = tree_sums(member, own), tree_sums(member, of_pool)
            scale = self._scale(lambda raw: log_odds_of_share(raw / count), sums, sums_of_pool)
        by_feature = self.pool.trees(member.name, member.text, of_pool)(own, self.nearest, scale)
        found = self._by_sensor(member, by_feature)
        if member.base:
            found += self._blocks(member.base, member.arrays["base"])[0]
        return found

    def _by_sensor(self, member: Member, by_feature: np.ndarray) -> np.ndarray:
        """(n, k) contributions of a member's features to (n, d) of the sensors behind them."""
        foreign = [str(block) for block in member.blocks if block.kind not in _READINGS]
        if foreign:
            raise BundleError(
                "These trees read more than sensors, which is not explained",
                received={"member": member.name, "features": foreign},
                remedy="Transfer again with `faultxfer transfer`",
            )
        found, rest = np.zeros(self.X.shape), by_feature
        for block in member.blocks:
            width = self.views.block(block).shape[1]
            found += self._of_readings(block, rest[:, :width])
            rest = rest[:, width:]
        if "edges" in member.arrays:
            bins = rest[:, : member.arrays["edges"].size - self.X.shape[1]]
            found += bins.reshape(*self.X.shape, -1).sum(axis=2)
        return found

    def _of_readings(self, block: Block, by_feature: np.ndarray) -> np.ndarray:
        """(n, k) contributions of a block of readings to (n, d) of the machine's sensors."""
        if block.kind == FILLED:
            return self._shared_out(block.map, by_feature)
        found, width = np.zeros(self.X.shape), by_feature.shape[1]
        # New sensors stand behind those that the source knows.
        start = self.X.shape[1] - width if block.kind == NEW else 0
        found[:, start : start + width] = by_feature
        return found

    def _shared_out(self, map_name: str, by_feature: np.ndarray) -> np.ndarray:
        """(n, k) contributions of every sensor of the source to (n, d) of the machine's."""
        whole, by = self.pool.whole, self.pool.maps[map_name]
        moved = self._from_mean(by(self.X), by(self.pool.X))
        found = np.zeros(self.X.shape)
        found[:, : len(whole.common)] = by_feature[:, whole.common]
        for place, weights in zip(whole.lacking, self.pool.guessing.T, strict=True):
            size = np.abs(moved * weights) + _NO_STEP
            share = size / size.sum(axis=1, keepdims=True)
            found[:, : len(whole.common)] += share * by_feature[:, [place]]
        return found

    def adapted(self, member: Member) -> np.ndarray:
        """The source network on readings with a gain and an offset of their own."""
        by = InputMap(member.arrays["gain"], member.arrays["offset"])
        return self._network(member.name, by, self.pool.paths.head, self._equal)

    def _network_alone(self) -> np.ndarray:
        ones = np.ones(self.X.shape[1])
        return self._network("", InputMap(ones, 0 * ones), self.pool.paths.head, self._equal)

    def _network(
        self, name: str, by: InputMap, weights: np.ndarray, scale: np.ndarray
    ) -> np.ndarray:
        own, of_pool = self.pool.encode(self.X, by), self.pool.encoded(name, by)
        found = self.pool.paths(own, of_pool, self.nearest, scale, weights)
        return self._of_readings(Block(SENSORS, name), found)

    def _blocks(
        self, blocks: tuple[Block, ...], weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) contributions to a weighted sum of blocks, and the weights that are left."""
        found = np.zeros(self.X.shape)
        for block in blocks:
            width = self.views.block(block).shape[1]
            found += self._block(block, weights[:width])
            weights = weights[width:]
        return found, weights

    def _block(self, block: Block, weights: np.ndarray) -> np.ndarray:
        """(n, d) contributions to the weighted sum of a block's (k,) features."""
        if block.kind in _READINGS:
            own, of_pool = self.views.block(block), self.pool.views.block(block)
            return self._of_readings(block, self._from_mean(own, of_pool) * weights)
        by = self.pool.maps[block.map]
        if block.kind == "hidden":
            return self._network(block.map, by, weights, self._equal)
        scale = self._scale(_clipped, *self._unclipped(block))
        if block.kind == "network":
            return np.asarray(weights * self._network(block.map, by, self.pool.paths.head, scale))
        return np.asarray(weights * self._of_source(block, by, scale))

    def _of_source(self, block: Block, by: InputMap, scale: np.ndarray) -> np.ndarray:
        """(n, d) contributions to the logit of the source's trees or logistic regression."""
        sensors = Block(SENSORS, block.map)
        if block.kind == "linear":
            coef = self.pool.source.linear.coef
            return self._of_readings(sensors, self._scaled_linear(sensors, coef, scale))
        filled = Block(FILLED, block.map)
        if block.kind == FILLED_LINEAR:
            coef = self.pool.whole.linear.coef
            return self._of_readings(filled, self._scaled_linear(filled, coef, scale))
        if block.kind == FILLED_TREES or not self.pool.source_trees:
            readings = self.pool.views.completed(block.map)
            trees = self.pool.trees(str(block), self.pool.whole.trees, readings)
            found = trees(self.views.completed(block.map), self.nearest, scale)
            return self._of_readings(filled, found)
        trees = self.pool.trees(str(block), self.pool.source_trees, by(self.pool.X))
        return self._of_readings(sensors, trees(by(self.X), self.nearest, scale))

    def _unclipped(self, block: Block) -> tuple[np.ndarray, np.ndarray]:
        """(n,) and (m,) source logits of the rows and of the pool, before they are clipped."""
        return self.views.unclipped(block), self.pool.views.unclipped(block)

    def _scaled_linear(self, block: Block, coef: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(n, k) contributions to a weighted sum of readings, each reference scaled by itself."""
        own, of_pool = self.views.block(block), self.pool.views.block(block)
        # Σ_j scale_j (own - reference_j)
        near = np.einsum("nj,njd->nd", scale, of_pool[self.nearest])
        apart = scale.sum(axis=1, keepdims=True) * own - near
        return np.asarray(apart * coef)

    def _from_mean(self, own: np.ndarray, of_pool: np.ndarray) -> np.ndarray:
        """(n, k) features minus the mean of their references."""
        return np.asarray(own - of_pool[self.nearest].mean(axis=1))


def _clipped(logits: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT))


_KINDS = {
    ADAPTED: _Against.adapted,
    CONSTANT: _Against.constant,
    IDENTITY: _Against.identity,
    LINEAR: _Against.linear,
    TREES: _Against.trees,
}
