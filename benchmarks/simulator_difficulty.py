"""How hard are the simulated pumps? Prints the table of ``docs/simulator.md``.

    uv run python benchmarks/simulator_difficulty.py

Plain scikit-learn models with their defaults, nothing tuned; the seeds leave out 7, which the demo
uses. Two judgements
of each: cross-fitting by run on the few target rows, and a longer later recording of the same pump
that only this script sees.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from faultxfer.simulation.simulator import INSTRUMENTS, NEW_PLANT, simulate_pump, write_pump_fleet

Rows = tuple[np.ndarray, np.ndarray]
Method = Callable[[Rows, np.ndarray], np.ndarray]
Figures = dict[tuple[str, str], tuple[float, float]]

_MODELS: dict[str, Callable[[], Any]] = {
    "LR": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
    "HGB": lambda: HistGradientBoostingClassifier(random_state=0),
}


def main() -> None:
    """Measure every method on several fleets and print mean and standard deviation over the fleets."""
    parser = argparse.ArgumentParser(description="Difficulty of the simulated pump fleets.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    began = time.perf_counter()
    seeds = parser.parse_args().seeds
    # Boosting's threads wait for each other busily: on two busy cores six fleets took over 13
    # minutes.
    with threadpool_limits(limits=1):
        per_seed = [_measure(seed) for seed in seeds]
    print("| model | judged on | ROC-AUC | PR-AUC |\n|---|---|---|---|")
    for name, judged_on in per_seed[0]:
        values = np.array([figures[name, judged_on] for figures in per_seed])
        cells = [
            f"{mean:.3f} ± {std:.3f}"
            for mean, std in zip(values.mean(axis=0), values.std(axis=0), strict=True)
        ]
        print(f"| {name} | {judged_on} | {' | '.join(cells)} |")
    print(f"\n{len(per_seed)} fleets, {time.perf_counter() - began:.0f} s")


def _measure(seed: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        fleet = write_pump_fleet(Path(folder), seed=seed)
        source = pd.concat([pd.read_csv(path) for path in fleet.source_csvs], ignore_index=True)
        target = pd.read_csv(fleet.target_csv)
    later = simulate_pump(
        fleet.target_equipment,
        seed=seed,
        runs=60,
        rows_per_run=28,
        fault_share=0.5,
        start="2027-01-04T06:00:00",
        plant=NEW_PLANT,
    )
    figures = _held_out_source(source)
    X, y = _arrays(target)
    for name, method in _methods(_arrays(source)).items():
        crossed = np.empty(len(y))
        for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(
            X, y, target["run"]
        ):
            crossed[test] = method((X[train], y[train]), X[test])
        figures[name, "target, cross-fit by run"] = _scores(y, crossed)
        later_X, later_y = _arrays(later)
        figures[name, "target, 60 later runs"] = _scores(later_y, method((X, y), later_X))
    return figures


def _held_out_source(source: pd.DataFrame) -> Figures:
    X, y = _arrays(source)
    train, test = next(
        StratifiedGroupKFold(5, shuffle=True, random_state=0).split(X, y, source["run"])
    )
    return {
        (f"{name}, source rows", "source, held-out runs"): _scores(
            y[test], build().fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        )
        for name, build in _MODELS.items()
    }


def _methods(source: Rows) -> dict[str, Method]:
    methods: dict[str, Method] = {}
    for name, build in _MODELS.items():
        as_is = build().fit(*source)
        own_scale = build().fit(StandardScaler().fit_transform(source[0]), source[1])
        methods |= {
            f"{name}, source as it is": _fixed(as_is),
            f"{name}, source, target's own scaling": _rescaled(own_scale),
            f"{name}, target rows": _target_only(build),
            f"{name}, source + target rows": _pooled(build, source),
            f"{name}, source + target rows, own scaling each": _pooled_own_scaling(build, source),
        }
    return methods


def _fixed(model: Any) -> Method:
    return lambda train, X: np.asarray(model.predict_proba(X)[:, 1])


def _rescaled(model: Any) -> Method:
    return lambda train, X: np.asarray(
        model.predict_proba(StandardScaler().fit(train[0]).transform(X))[:, 1]
    )


def _target_only(build: Callable[[], Any]) -> Method:
    return lambda train, X: np.asarray(build().fit(*train).predict_proba(X)[:, 1])


def _pooled(build: Callable[[], Any], source: Rows) -> Method:
    return lambda train, X: _fit_weighted(build(), source, train).predict_proba(X)[:, 1]


def _pooled_own_scaling(build: Callable[[], Any], source: Rows) -> Method:
    def method(train: Rows, X: np.ndarray) -> np.ndarray:
        scaler = StandardScaler().fit(train[0])
        home = (StandardScaler().fit_transform(source[0]), source[1])
        model = _fit_weighted(build(), home, (scaler.transform(train[0]), train[1]))
        return np.asarray(model.predict_proba(scaler.transform(X))[:, 1])

    return method


def _fit_weighted(model: Any, source: Rows, target: Rows) -> Any:
    """Fit on both domains, each with the same total weight."""
    X, y = (np.concatenate(pair) for pair in zip(source, target, strict=True))
    sizes = [len(source[1]), len(target[1])]
    weights = np.repeat([len(y) / 2 / size for size in sizes], sizes)
    last = model.steps[-1][0] + "__" if hasattr(model, "steps") else ""
    return model.fit(X, y, **{f"{last}sample_weight": weights})


def _arrays(table: pd.DataFrame) -> Rows:
    return table[list(INSTRUMENTS)].to_numpy(dtype=np.float64), table["fault"].to_numpy(
        dtype=np.int64
    )


def _scores(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    return float(roc_auc_score(y, score)), float(average_precision_score(y, score))


if __name__ == "__main__":
    main()
