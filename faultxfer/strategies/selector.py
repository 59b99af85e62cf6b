"""Fit every learner in the same folds of the training rows, and stack them by their predictions.

The selector sees training rows alone. Each learner's out-of-fold logits calibrate it and weigh it;
then it is fitted on all rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.frozen import FrozenSource
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.members import Member, Stack
from faultxfer.bundle.run_weights import run_weights
from faultxfer.data.split import Fold
from faultxfer.strategies.learners.protocol import Learner
from faultxfer.strategies.shared_fits import SharedFits
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
        window_maps: the same maps of readings and windows side by side.
    """

    members: tuple[Member, ...]
    maps: dict[str, InputMap]
    logits: np.ndarray
    folds: np.ndarray
    window_maps: dict[str, InputMap] = field(default_factory=dict)

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
    return cross_fit_shared(learners, SharedFits(source, source_rows, X, y, seed), folds)


def cross_fit_shared(
    learners: Sequence[Learner], fits: SharedFits, folds: Sequence[Fold]
) -> CrossFit:
    """The same of rows that are shared."""
    logits, rows = fits.out_of_fold(learners, folds), np.arange(len(fits.X))
    members, numbers = fits.members(learners, rows), numbered(folds, rows)
    return CrossFit(members, fits.maps(rows), logits, numbers, fits.window_maps(rows))


def numbered(folds: Sequence[Fold], rows: np.ndarray) -> np.ndarray:
    """(n,) number of the fold that tests each of the rows at these positions."""
    numbers = np.zeros(len(rows), dtype=int)
    for number, fold in enumerate(folds):
        numbers[np.isin(rows, fold.test)] = number
    return numbers


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
    return Stack(tuple(members), crossed.maps, crossed.window_maps)


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
