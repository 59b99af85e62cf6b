"""Source models of ``transfer_quality.py``: trained once per source and kept on disk."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from recordings import in_order
from sklearn.metrics import average_precision_score, roc_auc_score
from transfer_tasks import Table, read_table

from faultxfer.bundle.frozen import (
    Activations,
    FrozenSource,
    LinearModel,
    WindowModels,
    soft_clipped,
)
from faultxfer.bundle.input_map import spread_of
from faultxfer.bundle.scaler import fit_scaler
from faultxfer.config import NetworkOptions
from faultxfer.data.dataset import Dataset
from faultxfer.strategies.common import wide_pool
from faultxfer.strategies.learners.boosting import boost
from faultxfer.strategies.learners.convex import fit_logistic
from faultxfer.strategies.source_benefit import fit_source_models
from faultxfer.strategies.window_models import fit_over_windows, source_windows, windows_help

_POOLED_ROWS = 4000
_LINEAR_ROWS = 20_000


@dataclass(frozen=True)
class PreparedSource:
    """Source models, and the sample of source rows that pooled candidates see."""

    frozen: FrozenSource
    X: np.ndarray
    y: np.ndarray
    over_windows: WindowModels | None = None
    wide: tuple[np.ndarray, np.ndarray] | None = None


def with_windows(source: PreparedSource, table: Table, data_folder: Path) -> PreparedSource:
    """The same with models that read windows, where they tell held-out runs of the source better.

    As ``pretrain`` decides it: fitted on 65 % of the runs, judged by 15 %; then fitted on all rows.
    """
    data = source_windows(in_order(read_table(table, data_folder)))
    train, held, _ = source_sides(data)
    some = data.take(train)
    over = fit_over_windows(some, 0)
    if over is None or not windows_help(
        fit_source_models(some.X, some.y, 0), over, data.take(held)
    ):
        return source
    over, pooled = fit_over_windows(data, 0), data.take(pooled_rows(data))
    frozen = dataclasses.replace(source.frozen, over_windows=over.models.frozen(None))
    return PreparedSource(frozen, pooled.X, pooled.y, over, wide_pool(pooled))


def prepare_source(
    table: Table,
    data_folder: Path,
    cache: Path,
    *,
    network: bool,
    change: Callable[[Dataset], Dataset] | None = None,
) -> PreparedSource:
    """Read the source, and train its models, the network only where wanted.

    Unless they are on disk.

    ``change`` is done to its rows first.
    """
    data = read_table(table, data_folder)
    data = data if change is None else change(data)
    folder = cache / "sources" / table.name
    folder.mkdir(parents=True, exist_ok=True)
    spread, normal = spread_of(data.X), spread_of(data.X[data.y == 0])
    text = folder / "trees.txt"
    if not text.exists():
        text.write_text(source_trees(data.X, data.y))
    some = _shuffled(data)[:_LINEAR_ROWS]
    coef, intercept = fit_logistic(soft_clipped(data.X[some], spread), data.y[some], 1.0)
    frozen = FrozenSource(
        spread=spread,
        normal=normal,
        trees=lightgbm.Booster(model_str=text.read_text()),
        linear=LinearModel(coef, intercept),
        network=_network(data, folder) if network else None,
    )
    pooled = pooled_rows(data)
    return PreparedSource(frozen, data.X[pooled], data.y[pooled])


def pooled_rows(data: Dataset) -> np.ndarray:
    """Positions of the source rows that pooled candidates see."""
    return np.sort(_shuffled(data)[:_POOLED_ROWS])


def _shuffled(data: Dataset) -> np.ndarray:
    return np.random.default_rng(0).permutation(len(data))


def source_figures(
    table: Table, data_folder: Path, cache: Path
) -> tuple[float, float, float, float]:
    """PR-AUC of network and LightGBM, then ROC-AUC of both, fitted on 65 % of the source runs.

    Stopped by 15 %.

    The other 20 % judge both; a network for this alone is trained if its figures are not on disk.
    """
    path = cache / "sources" / table.name / "figures.json"
    if not path.exists():
        data = read_table(table, data_folder)
        train, stop, judge = source_sides(data)
        scaler = fit_scaler(data.X[train])
        network, trees = source_network(data, train, stop)
        figures = _judged(network, trees, scaler(data.X[judge]), data.X[judge], data.y[judge])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures), encoding="utf-8")
    found = json.loads(path.read_text(encoding="utf-8"))
    precision, roc = average_precision_score.__name__, roc_auc_score.__name__
    return tuple(
        found[f"{model}_{metric}"] for metric in (precision, roc) for model in ("network", "trees")
    )


def _network(data: Dataset, folder: Path) -> Activations:
    """The source network on all source rows, as the source's trees are."""
    from faultxfer.network.features import NetworkFeatures
    from faultxfer.network.store import load_network, save_network

    path = folder / "network.keras"
    scaler = fit_scaler(data.X)
    if not path.exists():
        save_network(source_network(data, np.arange(len(data)), None)[0], path)
    return NetworkFeatures(load_network(path), scaler.mean, scaler.scale)


def _judged(
    network: Any, trees: lightgbm.Booster, scaled: np.ndarray, X: np.ndarray, y: np.ndarray
) -> dict[str, float]:
    """PR-AUC and ROC-AUC of network and LightGBM, fitted on the same rows.

    On source runs that neither has seen.
    """
    scores = {"network": network.logits(scaled), "trees": trees.predict(X, num_threads=1)}
    return {
        f"{name}_{metric.__name__}": float(metric(y, values))
        for name, values in scores.items()
        for metric in (average_precision_score, roc_auc_score)
    }


def source_network(
    data: Dataset, train: np.ndarray, stop: np.ndarray | None
) -> tuple[Any, lightgbm.Booster]:
    """A Keras network fitted on StandardScaler-scaled rows at the positions ``train``.

    And the trees that taught it.

    Rows at ``stop`` end the training early; None trains through all epochs.
    """
    from faultxfer.network.pretrain import fit_ensemble

    scaler = fit_scaler(data.X[train])
    trees = lightgbm.Booster(model_str=source_trees(data.X[train], data.y[train]))
    network, _ = fit_ensemble(
        scaler(data.X[train]),
        data.y[train],
        lambda scaled: np.asarray(
            trees.predict(scaled * scaler.scale + scaler.mean, num_threads=1)
        ),
        None if stop is None else (scaler(data.X[stop]), data.y[stop]),
        seed=0,
        options=NetworkOptions(),
    )
    return network, trees


def source_trees(X: np.ndarray, y: np.ndarray) -> str:
    """LightGBM on source rows."""
    return boost(X, y, 0, rounds=200, learning_rate=0.05, min_data_in_leaf=20)


def source_sides(data: Dataset, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """65 % of the runs to train, 15 % to stop, 20 % to judge.

    Alike for runs with and without faults.
    """
    rng = np.random.default_rng(seed)
    names, position = np.unique(data.run.astype(str), return_inverse=True)
    faulty = np.bincount(position, weights=data.y) > 0
    side = np.zeros(len(names), dtype=int)
    for group in (np.flatnonzero(faulty), np.flatnonzero(~faulty)):
        shuffled = rng.permutation(group)
        cuts = np.round(np.array([0.65, 0.8]) * len(group)).astype(int)
        for number, part in enumerate(np.split(shuffled, cuts)):
            side[part] = number
    first, second, third = (np.flatnonzero(side[position] == number) for number in range(3))
    return first, second, third
