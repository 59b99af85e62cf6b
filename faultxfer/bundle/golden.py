"""Rows stored in a bundle with the scores that it must give for them, for smoke tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faultxfer.bundle.plain_files import load_arrays

GOLDEN = "golden_rows.npz"
ROWS = 16
_LIMIT = 16 * 2**20


@dataclass(frozen=True)
class Golden:
    """Rows and their scores.

    Attributes:
        features: names of the d sensors.
        X: (k, d) readings in engineering units, sensors in the bundle's order.
        probabilities: (k,) fault probabilities as the bundle gave them when it was made.
        alarms: (k,) bool.
    """

    features: tuple[str, ...]
    X: np.ndarray
    probabilities: np.ndarray
    alarms: np.ndarray


def chosen_rows(X: np.ndarray) -> np.ndarray:
    """At most 16 of (n, d) rows, spread evenly over them."""
    places = np.linspace(0, len(X) - 1, ROWS).round()
    return np.asarray(X[np.unique(places.astype(int))])


def save_golden(golden: Golden, folder: Path) -> None:
    """Write the rows beside the bundle's other files."""
    np.savez(
        folder / GOLDEN,
        X=golden.X,
        probabilities=golden.probabilities,
        alarms=golden.alarms,
        allow_pickle=False,
    )


def load_golden(folder: Path, features: tuple[str, ...]) -> Golden:
    """The inverse of :func:`save_golden`; names of the sensors stand in the bundle's manifest.

    Raises:
        KeyError, and what ``plain_files.UNREADABLE`` lists: something else was stored.
    """
    arrays = load_arrays(folder / GOLDEN, _LIMIT)
    return Golden(features, arrays["X"], arrays["probabilities"], arrays["alarms"])
