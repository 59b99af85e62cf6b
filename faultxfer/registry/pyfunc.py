"""How MLflow loads a bundle, in ``mlflow.pyfunc.load_model`` and ``mlflow models serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.errors import BundleError


class FaultModel:
    """Raw sensor rows in engineering units to fault probabilities and alarms."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score rows by column name.

        Args:
            rows: one numeric column per sensor, in any order; other columns are not used.
            params: unused; part of MLflow's interface.

        Returns:
            ``fault_probability`` and ``alarm``, one line per row; besides ``imputed``, the names of
            the sensors that were filled in, where some were.

        Raises:
            BundleError: a sensor is missing, not a number, or not finite; a missing reading (NaN)
                is filled in where the contract allows it and the other sensors predict it.
        """
        readings = _matrix(rows, self.bundle.features)
        probabilities = self.bundle.probabilities(self.bundle.completed(readings))
        scores = {"fault_probability": probabilities, "alarm": self.bundle.alarms(probabilities)}
        return pd.DataFrame(scores | self._imputed(np.isnan(readings)), index=rows.index)

    def _imputed(self, missing: np.ndarray) -> dict[str, list[str]]:
        """By row the sensors that were filled in, where some were."""
        if not missing.any():
            return {}
        names = np.array(self.bundle.features, dtype=object)
        return {"imputed": [", ".join(names[gaps]) for gaps in missing]}


def _matrix(rows: pd.DataFrame, features: tuple[str, ...]) -> np.ndarray:
    missing = [name for name in features if name not in rows]
    if missing:
        raise BundleError(
            f"The rows lack columns of some of the {len(features)} sensors",
            received={"missing": missing, "columns": list(rows.columns)},
            remedy="Name the columns as in the model's signature",
        )
    try:
        return rows[list(features)].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BundleError(
            "A sensor column holds something that is no number",
            received={"problem": str(error)},
            remedy="Validate the file first with `faultxfer validate`",
        ) from error


def _load_pyfunc(path: str) -> FaultModel:
    """Entry point that MLflow calls with the bundle's folder."""
    return FaultModel(load_bundle(Path(path)))
