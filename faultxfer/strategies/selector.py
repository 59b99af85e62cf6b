"""Fit every learner in the same folds inside the target's training rows, and stack them by what they predicted.

The selector sees training rows alone. Each learner's out-of-fold logits calibrate it and weigh it; then it is fitted
on all rows.
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
from faultxfer.data.split import Fold
from faultxfer.strategies.learners.protocol import Learner, TrainingRows
from faultxfer.strategies.stacking import crossed_platt, family_prior, simplex_weights

# Ten and thirty were worse at 50 and at 200 rows, with and without the network (docs/transfer-quality.md).
TAU = 100.0


@dataclass(frozen=True)
class CrossFit:
    """What the learners predict of rows they were not fitted on, and the learners fitted on all rows.

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
    pool = source_views(source, source_rows[0])
    logits, number = np.zeros((len(learners), len(y))), np.zeros(len(y), dtype=int)
    for place, fold in enumerate(folds):
        maps = fit_maps(X[fold.train], y[fold.train], source.spread, source.normal)
        rows = TrainingRows(Views(source, maps, X), y, pool, source_rows[1], seed)
        number[fold.test] = place
        part, judged = rows.take(fold.train), rows.target.take(fold.test)
        for index, learner in enumerate(learners):
            logits[index, fold.test] = member_logits(learner.fit(part), judged)
    maps = fit_maps(X, y, source.spread, source.normal)
    rows = TrainingRows(Views(source, maps, X), y, pool, source_rows[1], seed)
    members = tuple(learner.fit(rows) for learner in learners)
    return CrossFit(members, maps, logits, number)


def source_views(source: FrozenSource, X: np.ndarray) -> Views:
    """(m, d) source rows seen through the source: in its units whatever the map is called."""
    same = {name: InputMap(np.ones(X.shape[1]), np.zeros(X.shape[1])) for name in MAPS}
    return _SourceViews(source, same, X)


class _SourceViews(Views):
    """Source rows: already in source units, so every map is the first one and shares its blocks."""

    def block(self, block: Block) -> np.ndarray:
        return super().block(Block(block.kind, MAPS[0]))


def stack_of(crossed: CrossFit, y: np.ndarray, tau: float = TAU) -> Stack:
    """Calibrate and weigh the members by their out-of-fold logits.

    Args:
        crossed: of the learners.
        y: (n,) labels.
        tau: strength of the pull towards the prior weights, in rows.
    """
    weights, _ = weigh(
        crossed.logits, [member.family for member in crossed.members], y, crossed.folds, tau
    )
    slopes, offsets = platt(crossed.logits, y)
    members = tuple(
        dataclasses.replace(member, slope=float(a), offset=float(b), weight=float(w))
        for member, a, b, w in zip(crossed.members, slopes, offsets, weights, strict=True)
    )
    return Stack(members, crossed.maps)


def weigh(
    logits: np.ndarray, families: Sequence[str], y: np.ndarray, folds: np.ndarray, tau: float = TAU
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of learners, uniform over families where nothing speaks against it, and what they then predict together.

    Args:
        logits: (c, n) out-of-fold logits.
        families: (c,) names.
        y: (n,) labels.
        folds: (n,) fold that each row was predicted in.
        tau: strength of the pull towards the prior weights, in rows.

    Returns:
        (c,) weights and (n,) cross-calibrated, weighted logits.
    """
    calibrated = crossed_platt(logits, y, folds)
    weights = simplex_weights(calibrated, y, family_prior(families), tau)
    return weights, np.asarray(weights @ calibrated)
