"""One idea under several scales: which scale is right is chosen on rows that do not judge."""

from __future__ import annotations

import numpy as np

from faultxfer.strategies.procedure import Predictions


def best_out_of_fold(variants: dict[str, Predictions]) -> tuple[Predictions, dict[str, float]]:
    """For each row the prediction of the variant that ranked best on other rows.

    With a hold-out these are the calibration rows, so one variant predicts every row. With
    cross-fitting they are the other folds, so the variant may change from fold to fold.

    Args:
        variants: predictions for the same rows by name, each with its ``ranking``.

    Returns:
        The predictions, and the share of the rows that each variant predicted, the largest first.
    """
    names, everybody = list(variants), list(variants.values())
    rankings = [said.ranking for said in everybody if said.ranking is not None]
    best = np.argmax(np.stack(rankings), axis=0)
    rows = np.arange(len(best))
    probabilities = np.stack([said.probabilities for said in everybody])
    alarms = np.stack([said.alarms for said in everybody])
    counts = np.bincount(best, minlength=len(names))
    shares = {}
    for place in np.argsort(-counts, kind="stable"):
        if counts[place]:
            shares[names[place]] = float(counts[place] / len(best))
    return Predictions(probabilities[best, rows], alarms[best, rows]), shares


def scale_in_words(shares: dict[str, float], scales: dict[str, str]) -> tuple[str, str]:
    """The scale that was chosen, for a title, and how it was chosen, for a note.

    >>> scales = {"a": "target's scale", "b": "blended scale"}
    >>> scale_in_words({"b": 1.0}, scales)
    ('blended scale', 'scale chosen out of fold')
    >>> scale_in_words({"a": 0.8, "b": 0.2}, scales)[1]
    "chosen out of fold: target's scale for 80% of the rows, blended scale for 20% of the rows"

    Args:
        shares: of the rows, by name of the variant, see :func:`best_out_of_fold`.
        scales: every variant's scale in words.
    """
    first = scales[next(iter(shares))]
    if len(scales) == 1:
        return first, ""
    if len(shares) == 1:
        return first, "scale chosen out of fold"
    said = [f"{scales[name]} for {share:.0%} of the rows" for name, share in shares.items()]
    return "best scale of each fold", f"chosen out of fold: {', '.join(said)}"
