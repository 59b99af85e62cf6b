"""Fits what ``small_weeks.py`` drew, with whichever release of the package stands on the path.

    python benchmarks/small_weeks_fit.py DRAWS

For each draw ``NAME.npz`` in the folder it writes ``NAME.PLACE.json``: the product's score, recall
and false-alarm rate on the rows of other runs, or why it refused. Release 0.1.0 has other names for
some classes, which is all that is told apart here. The source network is built and not trained, and
the members of the stack that need it are left out in both releases.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.frozen import LinearModel, Views
from faultxfer.bundle.input_map import spread_of
from faultxfer.bundle.members import member_logits
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import SplitOptions, TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import split_rows
from faultxfer.errors import UserError
from faultxfer.network.arrays import as_arrays
from faultxfer.network.ensemble import build_ensemble
from faultxfer.strategies import stack
from faultxfer.strategies.procedure import run_strategy
from faultxfer.strategies.protocol import Task
from faultxfer.strategies.stacking import crossed_platt

try:
    from faultxfer.bundle.frozen import SourceModels
    from faultxfer.strategies.learners import rivals

    stack.default_learners, Stacked = rivals, stack.StackedLearners
except ImportError:  # release 0.1.0
    from faultxfer.bundle.source_models import SourceModels
    from faultxfer.strategies.candidates import rivals

    stack.default_candidates, Stacked = rivals, stack.StackedCandidates

# Each draw is cross-fitted, however many rows it has, as the small weeks of a plant are.
SPLIT = SplitOptions(min_test_faults=10**9)
RATE = 0.05
CROSSED: list[Any] = []
_SMALL: Any = SimpleNamespace(members=1, units=(8,), hidden=(8,), bins=0, dropout=0.0)


def main() -> None:
    """Fit every draw that is not done yet."""
    parser = argparse.ArgumentParser(description="Fit the draws of small_weeks.py")
    parser.add_argument("draws", type=Path)
    parser.add_argument("--name", required=True, help="of this release, for the files")
    parser.add_argument("--backwards", action="store_true", help="begin with the last draw")
    given = parser.parse_args()
    for path in sorted(given.draws.glob("*.npz"), reverse=given.backwards):
        out = path.with_suffix(f".{given.name}.json")
        if out.exists() or path.name.startswith("source "):
            continue
        began = time.process_time()
        found = fitted(path) | {"seconds": time.process_time() - began}
        out.write_text(json.dumps(found), encoding="utf-8")
        print(out.name, found.get("refused", "")[:60], round(found["seconds"]), flush=True)


def fitted(path: Path) -> dict[str, Any]:
    """What comes of one draw."""
    with np.load(path, allow_pickle=False) as drawn:
        train = dataset(drawn, "train")
        test = drawn["test_X"], drawn["test_y"]
        source = path.parent / str(drawn["source"])
    with np.load(source, allow_pickle=False) as kept:
        bundle, rows = source_bundle(kept), dataset(kept, "kept")
    task = Task(bundle, train, rows, TransferOptions(seed=int(path.stem.rsplit(" ", 1)[1])))
    CROSSED.clear()
    try:
        made, _, _ = run_strategy(Stacked(), task, split_rows(train, SPLIT, task.options.seed))
    except UserError as error:
        return {"refused": str(error)}
    return measured(made, *test) | chosen_rival(task, *test)


def remembered(*given: Any) -> Any:
    """Cross-fits for the stack, and keeps it; the last of it is fitted on all rows."""
    found = cross_fit_task(*given)
    CROSSED.append(found[0])
    return found


def measured(bundle: Bundle, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Ranking, what the threshold gives, and what the curve would give at the rate asked."""
    said = bundle.logits(X)
    alarms = bundle.alarms(bundle.probabilities(X))
    at_rate = np.quantile(said[y == 0], 1 - RATE, method="higher")
    return {
        "score": score(y, said),
        "roc_auc": float(roc_auc_score(y, said)),
        "source": score(y, source_logits(bundle, X)),
        "source_roc_auc": float(roc_auc_score(y, source_logits(bundle, X))),
        "recall": float(alarms[y == 1].mean()),
        "rate": float(alarms[y == 0].mean()),
        "possible": float((said[y == 1] > at_rate).mean()),
    }


def source_logits(bundle: Bundle, X: np.ndarray) -> np.ndarray:
    """The source's trees as they are: the network is not trained here."""
    return np.asarray(bundle.frozen.trees.predict(X, raw_score=True, num_threads=1))


def chosen_rival(task: Task, X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Score of the member that was best by log-loss out of fold; empty where nothing was weighed."""
    if not CROSSED or CROSSED[-1].logits.shape[1] != len(task.target):
        return {}
    last, labels = CROSSED[-1], task.target.y
    said = expit(crossed_platt(last.logits, labels, last.folds))
    losses = [log_loss(labels, np.clip(line, 1e-6, 1 - 1e-6), labels=[0, 1]) for line in said]
    best = last.members[int(np.argmin(losses))]
    views = Views(task.source.frozen, last.maps, X)
    return {"rival": score(y, member_logits(best, views))}


def score(y: np.ndarray, said: np.ndarray) -> float:
    """Mean of PR-AUC and ROC-AUC."""
    return float(average_precision_score(y, said) + roc_auc_score(y, said)) / 2


def dataset(arrays: Any, of: str) -> Dataset:
    """Rows as they were written."""
    X = arrays[f"{of}_X"]
    return Dataset(
        features=tuple(f"s{k}" for k in range(X.shape[1])),
        X=X,
        y=arrays[f"{of}_y"].astype(np.int8),
        equipment=np.full(len(X), of, dtype=object),
        run=arrays[f"{of}_run"].astype(str).astype(object),
        time=arrays[f"{of}_time"].astype(float),
    )


def source_bundle(kept: Any) -> Bundle:
    """The source's models, which were fitted once for both releases."""
    X, y = kept["kept_X"], kept["kept_y"]
    scaler = fit_scaler(X)
    linear = LinearModel(kept["coef"], float(kept["intercept"]))
    return Bundle(
        features=tuple(f"s{k}" for k in range(X.shape[1])),
        units={},
        scaler=scaler,
        network=as_arrays(build_ensemble(scaler(X), _SMALL)),
        calibrator=Calibrator(),
        threshold=0.5,
        models=SourceModels(spread_of(X), spread_of(X[y == 0]), str(kept["trees"]), linear),
    )


if __name__ == "__main__":
    cross_fit_task, stack.cross_fit_task = stack.cross_fit_task, remembered
    main()
