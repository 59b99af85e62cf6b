"""What a source bundle keeps of its sensors' normal rows: quantiles and rank correlations.

``contract map`` finds the sensors in another machine's file by them, without any row of the source
(``docs/decisions/0041-where-sensors-are-known-by.md``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faultxfer.bundle.plain_files import load_arrays
from faultxfer.mapping.statistics import PROBABILITIES, SensorStatistics, statistics_of

SENSORS = "sensors.npz"
_LIMIT = 128 * 2**20
# Digits of a rank correlation; more are noise, and take room.
_DIGITS = 3


def keep_sensors(
    features: tuple[str, ...], X: np.ndarray, y: np.ndarray, machine: np.ndarray
) -> SensorStatistics | None:
    """Statistics of the normal rows that something was fitted on; None where there is none.

    Args:
        features: names of the d sensors.
        X: (n, d) rows in engineering units, in the order in which they were recorded.
        y: (n,) their labels.
        machine: (n,) whose they are.
    """
    normal = y == 0
    if not normal.any():
        return None
    return statistics_of(features, X[normal], machine[normal])


def save_sensors(statistics: SensorStatistics, folder: Path) -> None:
    """Write the numbers beside the bundle's other files; no row of the source is among them."""
    np.savez_compressed(
        folder / SENSORS,
        allow_pickle=False,
        rows=np.asarray(statistics.rows),
        quantiles=statistics.quantiles.astype("<f8"),
        correlations=_short(statistics.correlations),
        part_quantiles=statistics.part_quantiles.astype("<f8"),
        part_correlations=_short(statistics.part_correlations),
    )


def load_sensors(folder: Path, features: tuple[str, ...]) -> SensorStatistics:
    """The inverse of :func:`save_sensors`; the hash of the file is checked before.

    Raises:
        KeyError, and what ``plain_files.UNREADABLE`` lists: something else was stored.
    """
    arrays = load_arrays(folder / SENSORS, _LIMIT)
    sensors, parts = len(features), len(arrays["part_quantiles"])
    shapes = {
        "rows": (),
        "quantiles": (sensors, len(PROBABILITIES)),
        "correlations": (sensors, sensors),
        "part_quantiles": (parts, sensors, len(PROBABILITIES)),
        "part_correlations": (parts, sensors, sensors),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            received = f"{name} of shape {arrays[name].shape}"
            raise ValueError(f"The statistics of the sensors are damaged. Received: {received}")
    return SensorStatistics(
        features,
        int(arrays["rows"]),
        arrays["quantiles"].astype(np.float64),
        _correlations(arrays["correlations"]),
        arrays["part_quantiles"].astype(np.float64),
        _correlations(arrays["part_correlations"]),
    )


def _short(correlations: np.ndarray) -> np.ndarray:
    return np.round(correlations, _DIGITS).astype("<f4")


def _correlations(stored: np.ndarray) -> np.ndarray:
    """Correlations between -1 and 1, as they must be."""
    found = stored.astype(np.float64)
    if not (np.isfinite(found).all() and (np.abs(found) <= 1.0 + 1e-6).all()):
        raise ValueError("A rank correlation lies outside of -1 to 1. Received: sensors.npz")
    return np.asarray(found)
