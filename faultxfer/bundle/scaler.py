"""The scaling stage: scikit-learn's StandardScaler, stored as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class Scaler:
    """Mean and scale of each sensor, (d,) float64, as StandardScaler fitted them."""

    mean: np.ndarray
    scale: np.ndarray

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """(n, d) engineering units to (n, d) standard deviations.

        Sensors that the network does not know stand behind those it reads, and are left out.
        """
        return np.asarray((X[:, : len(self.mean)] - self.mean) / self.scale)


def fit_scaler(X: np.ndarray) -> Scaler:
    """Fit on training rows only; a constant sensor gets scale 1."""
    fitted = StandardScaler().fit(X)
    return Scaler(
        np.asarray(fitted.mean_, dtype=np.float64), np.asarray(fitted.scale_, dtype=np.float64)
    )
