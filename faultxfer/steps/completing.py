"""How rows with missing readings are completed, right after the check, before anything sees them.

``pretrain`` learns it from its own complete rows; ``transfer`` takes what the source model learnt
to the machine's readings; ``score`` takes what its detector keeps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import read_imputer
from faultxfer.bundle.imputer import Imputer, Score, fit_imputer, judged, save_imputer
from faultxfer.bundle.manifest import read_manifest
from faultxfer.contract.lacking import lacking_cells
from faultxfer.contract.schema import Contract
from faultxfer.data.continuous import cut_into_parts
from faultxfer.data.dataset import Dataset, dataset_from, sensor_matrix
from faultxfer.data.split import divide_runs
from faultxfer.reading import columns
from faultxfer.strategies.narrowing import sensors_between
from faultxfer.strategies.ranking_score import ranking_score

# Source runs that show how well each sensor is predicted, and rows of them that are enough.
_HELD_OUT, _JUDGE_ROWS = 0.3, 2_000


def _by_means(imputer: Imputer, _: pd.DataFrame, X: np.ndarray) -> np.ndarray:
    """Every missing reading as the others let expect it."""
    return imputer(X)


@dataclass(frozen=True)
class Completing:
    """How missing readings are filled in.

    Attributes:
        features: names of the d sensors, in the imputer's order.
        imputer: what a model at hand has learnt; None where nothing is known before the check.
        learn: from accepted rows, some with missing readings, to the imputer for them.
        fill: from the imputer and accepted rows to the rows' (n, d) readings, none missing.
        under: the same for fewer sensors of the contract; None where the sensors are settled.
    """

    features: tuple[str, ...]
    imputer: Imputer | None
    learn: Callable[[pd.DataFrame], Imputer | None]
    fill: Callable[[Imputer, pd.DataFrame, np.ndarray], np.ndarray] = _by_means
    under: Callable[[Contract], Completing] | None = None

    @property
    def fills(self) -> frozenset[str]:
        """Sensors that can be filled in before the accepted rows are known."""
        return self.filled_by(self.imputer)

    def filled_by(self, imputer: Imputer | None) -> frozenset[str]:
        """Sensors that an imputer fills in."""
        return frozenset() if imputer is None else imputer.names_filled(self.features)

    def completed(self, accepted: pd.DataFrame, imputer: Imputer) -> pd.DataFrame:
        """Accepted rows, every missing reading filled in, and the names of these sensors beside."""
        X = sensor_matrix(accepted, self.features)
        missing = np.isnan(X)
        if not missing.any():
            return accepted
        names = np.array(self.features, dtype=object)
        listed = [columns.BETWEEN.join(names[gaps]) for gaps in missing]
        readings = self.fill(imputer, accepted, X)
        filled = pd.DataFrame(readings, columns=list(self.features), index=accepted.index)
        return accepted.assign(**filled, **{columns.IMPUTED: listed})

    def kept(self, imputer: Imputer, work: Path) -> Path:
        """A folder that holds the imputer for the bundle that is made."""
        folder = work / "imputer"
        folder.mkdir(exist_ok=True)
        save_imputer(imputer, folder)
        return folder


def learnt_from_rows(contract: Contract, seed: int) -> Completing:
    """For source rows: by themselves.

    A sensor that a machine lacks is drawn in each of its rows, so that no model can tell the
    machine by it.
    """

    def fill(imputer: Imputer, accepted: pd.DataFrame, X: np.ndarray) -> np.ndarray:
        lacked = lacking_cells(_machines(accepted), contract)
        return imputer(X) if lacked is None else imputer.drawn(X, lacked, seed)

    return Completing(
        contract.features,
        None,
        lambda accepted: _fitted(dataset_from(accepted, contract.features), contract, seed),
        fill,
        lambda narrower: learnt_from_rows(narrower, seed),
    )


def _machines(accepted: pd.DataFrame) -> np.ndarray:
    return accepted[columns.EQUIPMENT].astype(str).to_numpy(dtype=object)


def learnt_by(bundle: Path, contract: Contract, *, adapt: bool) -> Completing | None:
    """For rows of a machine: by what a model has learnt; None where it fills nothing in.

    Args:
        bundle: folder of the source's bundle, or of the machine's own.
        contract: says which sensors may be filled in, and how many of a row's.
        adapt: whether the rows show how the machine's readings differ from the source's; the
            machine's own bundle knows it.

    Raises:
        BundleError: the bundle is damaged.
    """
    imputer = read_imputer(bundle)
    change = sensors_between(read_manifest(bundle).features, contract.features)
    if imputer is None or not change.common:
        return None  # nothing in common is refused by a later step, which says so
    if change.differs:
        imputer = imputer.for_sensors(change.places, len(change.new))
    imputer = _under(contract, change.features, imputer)

    def learn(accepted: pd.DataFrame) -> Imputer:
        X = sensor_matrix(accepted, change.features)
        return imputer.for_machine(X, len(change.new)) if adapt else imputer

    return Completing(change.features, imputer, learn)


def _under(contract: Contract, features: tuple[str, ...], imputer: Imputer) -> Imputer:
    """The same, within what the contract allows."""
    allowed = np.array([contract.sensors[name].impute for name in features])
    return dataclasses.replace(imputer, allowed=allowed, max_share=contract.max_imputed)


def _fitted(data: Dataset, contract: Contract, seed: int) -> Imputer | None:
    """Fitted on all rows, and judged on held-out runs.

    Where no runs can be held out it fills in what machines lack and no more; None where they lack
    nothing.
    """
    sides = _sides(data, seed)
    if sides is None:
        return _unjudged(data, contract)
    train, held = (data.take(rows) for rows in sides)
    some = np.random.default_rng(seed).permutation(len(held))[:_JUDGE_ROWS]
    held = held.take(np.sort(some))
    learnt = fit_imputer(train.X)
    gaps = np.isnan(train.X)
    trees = _trees(dataclasses.replace(train, X=learnt.drawn(train.X, gaps, seed)), seed)
    uses = trees.feature_importance() > 0
    r2, cost = judged(learnt, held.X, _scoring(trees, held.y), uses)
    imputer = dataclasses.replace(fit_imputer(data.X), r2=r2, cost=cost)
    return _under(contract, data.features, imputer)


def _unjudged(data: Dataset, contract: Contract) -> Imputer | None:
    """An imputer that fills in no reading that is only missing, as nothing shows how well."""
    if not np.isnan(data.X).any():
        return None
    worst = np.ones(len(data.features))
    return _under(contract, data.features, dataclasses.replace(fit_imputer(data.X), cost=worst))


def _sides(data: Dataset, seed: int) -> tuple[np.ndarray, ...] | None:
    """Positions of the rows that fit and that judge, by runs or else by parts of recordings."""
    sides = divide_runs(data, (_HELD_OUT,), seed)
    if all(0 < data.y[rows].sum() < len(rows) for rows in sides):
        return sides
    parts = cut_into_parts(data, (_HELD_OUT,), seed)
    return None if parts is None else parts.sides


def _trees(train: Dataset, seed: int) -> Any:
    """The source's trees, of these rows alone."""
    import lightgbm

    from faultxfer.strategies.learners.boosting import boost

    text = boost(train.X, train.y, seed, rounds=100, learning_rate=0.1, min_data_in_leaf=20)
    return lightgbm.Booster(model_str=text)


def _scoring(trees: Any, y: np.ndarray) -> Score:
    """Mean of PR-AUC and ROC-AUC of trees, for rows with these labels; 0 for rows of one class."""

    def score(X: np.ndarray, rows: np.ndarray) -> float:
        true = y[rows]
        if len(set(true)) < 2:
            return 0.0
        return ranking_score(true, trees.predict(X, num_threads=1))

    return score
