"""How well scores rank faults above normal rows, where rows were scored by models of several folds.

The folds' models have levels of their own, so a score of one says nothing against a score of
another: pooled, even a constant of each fold's share of faults ranks worse than chance. So a fault
is compared with the normal rows of its own fold alone (``docs/decisions/0015``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Of a normal row, added above and below a fault: a half makes good detectors of few faults look far
# too poor, an eighth makes all look too good in unequal weeks (docs/decisions/0015).
_ADDED = 0.25
# Shares of normal rows above a fault that differ by less are equal.
_EQUAL = 1e-9


@dataclass(frozen=True)
class RankedRows:
    """Faults and normal rows, counted by cluster at each level of the scores of each fold.

    Levels run from the highest score to the lowest, one fold after the other; k of them hold
    faults.

    Attributes:
        faults: (g, k) fault rows of each cluster at each of these levels.
        above: (g, k) normal rows of the same fold that score higher, and half of those that score
            the same.
        with_equal: (g, k) the same, with all of those that score the same.
        normals: (g, k) all normal rows of the same fold.
        share: of faults among all rows; it stays, whatever is weighed how.
        folds: how many there are.
    """

    faults: np.ndarray
    above: np.ndarray
    with_equal: np.ndarray
    normals: np.ndarray
    share: float
    folds: int

    @classmethod
    def of(
        cls,
        y: np.ndarray,
        scores: np.ndarray,
        fold: np.ndarray,
        cluster: np.ndarray | None = None,
        most_levels: int | None = None,
    ) -> RankedRows:
        """Count.

        Args:
            y: (m,) labels.
            scores: (m,) of one contestant.
            fold: (m,) number of the fold whose model gave the score.
            cluster: (m,) what is weighed together, numbered from 0; one for all if left out.
            most_levels: scores of a fold are told apart up to this many levels.
        """
        cluster = np.zeros(len(y), dtype=int) if cluster is None else cluster
        fold = np.unique(fold, return_inverse=True)[1]
        level, fold_of = _levels(scores, fold, most_levels)
        count = int(cluster.max()) + 1
        faults = _counted(cluster[y == 1], level[y == 1], (count, len(fold_of)))
        normals = _counted(cluster[y == 0], level[y == 0], (count, len(fold_of)))
        first = np.searchsorted(fold_of, np.arange(fold_of[-1] + 2))
        before = np.concatenate([np.zeros((count, 1)), np.cumsum(normals, axis=1)], axis=1)
        higher = before[:, :-1] - before[:, first[fold_of]]
        at = faults.any(axis=0)
        return cls(
            faults=faults[:, at],
            above=(higher + normals / 2)[:, at],
            with_equal=(higher + normals)[:, at],
            normals=(before[:, first[fold_of + 1]] - before[:, first[fold_of]])[:, at],
            share=float(np.mean(y)),
            folds=int(fold_of[-1]) + 1,
        )

    def areas(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """PR-AUC and ROC-AUC (b,) where clusters have (b, g) weights; NaN without pairs.

        Each fault counts once, however many normal rows its fold has: the long run of one fold
        would outvote the others.
        """
        normals = weights @ self.normals
        hits = (weights @ self.faults) * (normals > 0)
        above = weights @ self.above
        found = hits.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share_above = np.where(normals > 0, above / normals, 0.0)
            roc_auc = 1 - (hits * share_above).sum(axis=1) / found
            if self.folds == 1:
                precision = self._precision(weights, hits)
            else:
                precision = _precision_of_placements(hits, _placed(above, normals), self.share)
            pr_auc = (hits * precision).sum(axis=1) / found
        return pr_auc, roc_auc

    def _precision(self, weights: np.ndarray, hits: np.ndarray) -> np.ndarray:
        """(b, k) share of faults among the rows that score as high as a level or higher."""
        hits_so_far = np.cumsum(hits, axis=1)
        alarms_so_far = hits_so_far + weights @ self.with_equal
        return np.asarray(hits_so_far / np.maximum(alarms_so_far, 1e-12))


def precision_and_recall(
    y: np.ndarray, scores: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(k,) precision and recall, along the false-alarm rates at which faults begin to alarm.

    Where the scores come from one model these are the points of the usual curve at which a fault
    is found; where they come from several, those of :meth:`RankedRows.areas`. Recall grows.

    Args:
        y: (m,) labels.
        scores: (m,) of one contestant.
        fold: (m,) number of the fold whose model gave the score.
    """
    rows = RankedRows.of(y, scores, fold)
    hits, normals = rows.faults[0], rows.normals[0]
    if rows.folds == 1:
        found = np.cumsum(hits)
        return found / (found + rows.with_equal[0]), found / found[-1]
    used = normals > 0
    placed = _placed(rows.above[0][used], normals[used])
    precision = _precision_of_placements(hits[None, used], placed[None], rows.share)[0]
    order = np.argsort(placed, kind="stable")
    found = np.cumsum(hits[used][order])
    return precision[order], found / found[-1]


def _levels(
    scores: np.ndarray, fold: np.ndarray, most: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """(m,) level of each row and (l,) fold of each level; equal scores of a fold share a level."""
    rank = np.unique(-scores, return_inverse=True)[1]
    if most is not None and rank.max() >= most:
        rank = rank * most // (int(rank.max()) + 1)
    ranks = int(rank.max()) + 1
    names, level = np.unique(fold * ranks + rank, return_inverse=True)
    return level, names // ranks


def _counted(cluster: np.ndarray, level: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    counts = np.bincount(cluster * shape[1] + level, minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(float)


def _placed(above: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Placements of faults below so many of the normal rows of their folds; 1 where there are none.

    They estimate the false-alarm rate at a fault's score.
    """
    return np.asarray(np.where(normals > 0, (above + _ADDED) / (normals + 2 * _ADDED), 1.0))


def _precision_of_placements(hits: np.ndarray, placed: np.ndarray, share: float) -> np.ndarray:
    """(b, k) precision at each level of faults, read off the curve that their placements make.

    A fault's placement estimates the false-alarm rate at its score, (k + 1/4) / (n + 1/2) with k of
    the n normal rows of its fold above it: they mean the same in every fold. The share of faults
    found there is r / (m + 1) for the r-th of m placements, the mean of equal ones, which gives a
    constant exactly the share of faults (placement values: Pepe & Cai, "The analysis of
    placement values for evaluating discriminatory measures", Biometrics 2004).

    Args:
        hits: (b, k) weighed faults at each level.
        placed: (b, k) their placements.
        share: of faults among all rows.
    """
    order = np.argsort(placed, axis=1, kind="stable")
    u, h = np.take_along_axis(placed, order, 1), np.take_along_axis(hits, order, 1)
    found = np.cumsum(h, axis=1)
    place = np.broadcast_to(np.arange(u.shape[1]), u.shape)
    differs = np.diff(u, axis=1) > _EQUAL
    edge = np.ones((len(u), 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), place, 0), axis=1)
    ends = np.where(np.hstack([differs, edge]), place, u.shape[1])
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    below = np.take_along_axis(found - h, first, 1)
    up_to = np.take_along_axis(found, last, 1)
    recall = (below + up_to + 1) / 2 / (found[:, -1:] + 1)
    true, false = share * recall, (1 - share) * u
    precision = true / (true + false)
    unsorted: np.ndarray = np.empty_like(precision)
    np.put_along_axis(unsorted, order, precision, 1)
    return unsorted
