"""Whether a machine's rows can be told from the others by a sensor that was filled in.

Simulated pumps, each of which lacks another sensor, and all but one two more. Printed for each
sensor: ROC-AUC on other runs with which boosting tells rows that lack it from the others, by the
sensor alone and by all sensors, for several ways to fill it in and for the sensor as measured.

    python benchmarks/fleet_fills.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from faultxfer.bundle.imputer import fit_imputer
from faultxfer.simulation.pump_fleet import INSTRUMENTS, differing_sensors
from faultxfer.simulation.simulator import simulate_pump

PUMPS = [f"pump-{number}" for number in range(1, 6)]
SEED = 7


def history(name: str) -> pd.DataFrame:
    """Two months of one pump."""
    return simulate_pump(name, seed=SEED, runs=24, rows_per_run=30, fault_share=0.4, pause_hours=61)


def told_apart(X: np.ndarray, machine: np.ndarray, run: np.ndarray) -> float:
    """ROC-AUC of boosting on other runs."""
    model = LGBMClassifier(n_estimators=60, num_leaves=15, n_jobs=1, verbose=-1)
    shown = pd.DataFrame(X)
    folds = GroupKFold(3)
    predicted = cross_val_predict(
        model, shown, machine, groups=run, cv=folds, method="predict_proba"
    )
    return float(roc_auc_score(machine, predicted[:, 1]))


def fills(X: np.ndarray, lacked: np.ndarray) -> dict[str, np.ndarray]:
    """By name, the rows as each way fills them in."""
    gappy = np.where(lacked, np.nan, X)
    imputer = fit_imputer(gappy)
    usual = np.nanmedian(gappy, axis=0)
    return {
        "drawn": imputer.drawn(gappy, lacked, seed=0),
        "mean": imputer(gappy),
        "median": np.where(lacked, usual, X),
        "measured": X,
    }


def main() -> None:
    """Print the table."""
    rows = pd.concat(map(history, PUMPS), ignore_index=True)
    names, run = list(INSTRUMENTS), rows["run"].to_numpy()
    lacking = differing_sensors(PUMPS, with_more=PUMPS[0])
    lacked = np.array([[name in lacking[pump] for name in names] for pump in rows["equipment"]])
    filled = fills(rows[names].to_numpy(dtype=np.float64), lacked)
    print("sensor", *filled, sep=" | ")
    for place in np.flatnonzero(lacked.any(axis=0)):
        machine = lacked[:, place].astype(int)
        cells = []
        for X in filled.values():
            alone = told_apart(X[:, [place]], machine, run)
            cells.append(f"{alone:.2f} / {told_apart(X, machine, run):.2f}")
        print(names[place], *cells, sep=" | ")


if __name__ == "__main__":
    main()
