"""Whether and how fast scores are smoothed along a recording, chosen by rows held out.

What smoothing costs is counted too: where a fault begins, smoothed scores rise later, and each row
of that delay is a row told wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from faultxfer.bundle.calibration import platt
from faultxfer.bundle.run_weights import run_weights
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.data.dataset import Dataset
from faultxfer.data.moments import Moments, usual_step

# Half-lives in usual steps, those of exponential averages of span 3 and 8. Others from 0.6 to 5.2
# were no better on seeds 0 to 2 of docs/time.md, and the longest were chosen too readily.
SHORT, LONG = 1.0, 2.7
# Rows of the rarer class; with fewer, whichever way suits them best by chance would be taken.
FEWEST_TO_CHOOSE = 4


def ways_to_smooth(data: Dataset) -> tuple[Smoothing | None, ...]:
    """Not at all, fast and slowly; the first alone where recordings are single rows."""
    step = usual_step(data.moments)
    if step is None:
        return (None,)
    return (None, *(Smoothing(rows * step, rows) for rows in (SHORT, LONG)))


def way_of(source: Smoothing | None, ways: Sequence[Smoothing | None]) -> int:
    """Which of the ways is the source's, which chose it on many more rows; 0 where none is."""
    rows = [None if way is None else way.rows for way in ways]
    return rows.index(source.rows) if source is not None and source.rows in rows else 0


def best_way(said: Sequence[np.ndarray], y: np.ndarray, run: np.ndarray, otherwise: int = 0) -> int:
    """Which of several logits (n,) of the same rows are the likeliest, once calibrated.

    Args:
        said: by each way; of models that were not fitted on the rows.
        y: (n,) labels.
        run: (n,) recordings: rows of one count for less than as many rows of several.
        otherwise: which where the rows are too few to tell.
    """
    faults = int(y.sum())
    if min(faults, len(y) - faults) < FEWEST_TO_CHOOSE:
        return otherwise
    logits, counts = np.stack(said), run_weights(said[0], y, run)
    slopes, offsets = platt(logits, y, counts)
    told = slopes[:, None] * logits + offsets[:, None]
    losses = (counts * (np.logaddexp(0, told) - y * told)).sum(axis=1)
    return int(np.argmin(losses))


def smoothed(logits: np.ndarray, smoothing: Smoothing | None, moments: Moments) -> np.ndarray:
    """(n,) logits, smoothed where that is wanted."""
    return logits if smoothing is None else smoothing(logits, moments)
