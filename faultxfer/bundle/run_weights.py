"""What a row counts for where calibration and weights of the stack are fitted.

Rows of a recording resemble each other: a model that is wrong about one of them is wrong about its
neighbours, so two hundred rows of one recording tell little more than twenty of it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.run_spread import intraclass_correlation, numbered


def run_weights(logits: np.ndarray, y: np.ndarray, run: np.ndarray) -> np.ndarray:
    """(n,) what each row counts for: 1 where rows of a run are no more alike than others.

    Kish's design effect of the m rows that a run has of a class, 1 + (m − 1) ρ, with the intraclass
    correlation ρ of what a calibrated model gets wrong, inside the classes. The share of each class
    stays as it is, or probabilities would hold for another share of faults.

    Four runs of ten rows, each as wrong in all its rows, count for one row each:

    >>> run = np.repeat(np.arange(4), 10)
    >>> said = np.array([-1.0, 1.0, -1.0, 1.0])[run]
    >>> round(float(run_weights(said, (run > 1).astype(int), run).sum()), 6)
    4.0

    Args:
        logits: (n,) of a model that was not fitted on the rows.
        y: (n,) labels.
        run: (n,) recording of each, by name or number.
    """
    number = numbered(run)
    slopes, offsets = platt(logits[None, :], y)
    wrong = y - expit(slopes[0] * logits + offsets[0])
    classes = [y == label for label in np.unique(y)]
    for rows in classes:
        wrong[rows] -= wrong[rows].mean()
    part = numbered(2 * number + y.astype(int))
    counts = 1 / (1 + (np.bincount(part)[part] - 1) * intraclass_correlation(wrong, part))
    each = counts.mean()
    for rows in classes:
        counts[rows] *= each / counts[rows].mean()
    return np.asarray(counts)
