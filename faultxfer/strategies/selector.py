"""Fit every learner in the same folds of the training rows, and stack them by their predictions.

The selector sees training rows alone. Each learner's out-of-fold logits calibrate it and weigh it;
then it is fitted on all rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.frozen import Block, FrozenSource, Views
from faultxfer.bundle.input_map import MAPS, InputMap, fit_maps
from faultxfer.bundle.members import Member, Stack, member_logits
from faultxfer.bundle.run_weights import run_weights
from faultxfer.data.split import Fold
from faultxfer.strategies.learners.protocol import Learner, TrainingRows
from faultxfer.strategies.stacking import crossed_platt, family_prior, simplex_weights

# Ten and thirty were worse at 50 and at 200 rows, with and without the network
# (docs/transfer-quality.md).
TAU = 100.0


@dataclass(frozen=True)
class CrossFit:
    """Predictions of learners for rows they were not fitted on, and the learners fitted on all.

    Attributes:
        members: fitted on all rows, neither calibrated nor weighed.
        maps: input maps fitted on all rows.
        logits: (c, n) out-of-fold logits.
        folds: (n,) number of the fold that each row was predicted in.
    """

    members: tuple[Member, ...]
    maps: dict[str, InputMap]
    logits: np.ndarray
    folds: np.ndarray

    @property
    def families(self) -> list[str]:
        """(c,) what each member is averaged with first."""
        return [member.family for member in self.members]


def cross_fit(
    learners: Sequence[Learner],
    source: FrozenSource,
    source_rows: tuple[np.ndarray, np.ndarray],
    X: np.ndarray,
    y: np.ndarray,
    folds: Sequence[Fold],
    seed: int,
) -> CrossFit:
    """Out-of-fold logits and refitted members of every learner.

    Args:
        learners: what may be in the stack.
        source: the source's models.
        source_rows: (m, d) rows and (m,) labels of the source for pooled learners.
        X: (n, d) target training rows.
        y: (n,) their labels.
        folds: the same for all learners.
        seed: of anything drawn.
    """
    source_X, source_y = source_rows
    pool = source_views(source, source_X, X.shape[1])

    def seen_by(train: np.ndarray) -> TrainingRows:
        """All rows, through input maps that are fitted on ``train`` alone."""
        maps = fit_maps(X[train], y[train], source.spread, source.normal)
        return TrainingRows(Views(source, maps, X), y, pool, source_y, seed)

    logits = np.zeros((len(learners), len(y)))
    numbers = np.zeros(len(y), dtype=int)
    for number, fold in enumerate(folds):
        rows = seen_by(fold.train)
        train, test = rows.take(fold.train), rows.target.take(fold.test)
        numbers[fold.test] = number
        for place, learner in enumerate(learners):
            logits[place, fold.test] = member_logits(learner.fit(train), test)
    rows = seen_by(np.arange(len(y)))
    members = tuple(learner.fit(rows) for learner in learners)
    return CrossFit(members, rows.target.maps, logits, numbers)


def source_views(source: FrozenSource, X: np.ndarray, of_target: int) -> Views:
    """(m, d) source rows seen through the source: in its units whatever the map is called.

    Args:
        source: its models.
        X: readings of every sensor that it had, also of those that the target lacks.
        of_target: how many sensors the target has; those that the source lacks are new.
    """
    common = X if source.whole is None else X[:, source.whole.common]
    sensors = common.shape[1]
    as_they_are = InputMap(np.ones(sensors), np.zeros(sensors))
    views = _SourceViews(source, dict.fromkeys(MAPS, as_they_are), common)
    views.every, views.new = X, of_target - sensors
    return views


class _SourceViews(Views):
    """Source rows: already in source units, so every map is the first one and shares its blocks.

    What the target lacks is read here; what is new there was never measured.
    """

    every: np.ndarray
    new: int

    def block(self, block: Block) -> np.ndarray:
        return super().block(Block(block.kind, MAPS[0]))

    def completed(self, map_name: str) -> np.ndarray:
        return self.every

    def _new(self) -> np.ndarray:
        return np.full((len(self), self.new), np.nan)


def stack_of(crossed: CrossFit, y: np.ndarray, run: np.ndarray, tau: float = TAU) -> Stack:
    """Calibrate and weigh the members by their out-of-fold logits.

    Args:
        crossed: of the learners.
        y: (n,) labels.
        run: (n,) recordings: rows of one count for less than as many rows of several.
        tau: strength of the pull towards the prior weights, in rows.
    """
    counts = row_counts(crossed, y, run)
    weights, _ = weigh(crossed, y, counts, tau)
    slopes, offsets = platt(crossed.logits, y, counts)
    members = []
    for place, member in enumerate(crossed.members):
        slope, offset, weight = slopes[place], offsets[place], weights[place]
        members.append(
            dataclasses.replace(
                member, slope=float(slope), offset=float(offset), weight=float(weight)
            )
        )
    return Stack(tuple(members), crossed.maps)


def weigh(
    crossed: CrossFit, y: np.ndarray, counts: np.ndarray, tau: float = TAU
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of learners, and what they predict together; see :func:`stack_of`.

    The weights are uniform over families where nothing speaks against it. ``counts`` (n,) says what
    each row counts for: :func:`row_counts`.

    Returns:
        (c,) weights and (n,) cross-calibrated, weighted logits.
    """
    calibrated = crossed_platt(crossed.logits, y, crossed.folds, counts)
    weights = simplex_weights(calibrated, y, family_prior(crossed.families), tau, counts)
    return weights, np.asarray(weights @ calibrated)


def row_counts(crossed: CrossFit, y: np.ndarray, run: np.ndarray) -> np.ndarray:
    """(n,) what each row counts for, by what the plain average of the learners gets wrong.

    One in the mean: a run counts less beside others, but the pull towards the prior stays as strong
    as it was chosen to be.
    """
    calibrated = crossed_platt(crossed.logits, y, crossed.folds)
    counts = run_weights(family_prior(crossed.families) @ calibrated, y, run)
    return np.asarray(counts / counts.mean())
