"""Tables give many rows what walks through trees and products with all bins give them."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

from faultxfer.bundle.bundle import load_bundle
from faultxfer.bundle.tree_tables import tree_tables
from faultxfer.bundle.trees import Trees
from faultxfer.data.cuts import Cuts
from faultxfer.network import arrays
from faultxfer.network.tables import tables_of

KEPT = REPOSITORY / "tests" / "kept_bundles"
BOOSTING = {"objective": "binary", "min_data_in_leaf": 2}
FOREST = {**BOOSTING, "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}


def grown(settings: dict[str, object], sensors: int = 6) -> str:
    random = np.random.default_rng(0)
    X = random.normal(size=(900, sensors)).round(2)
    y = (X[:, 0] * X[:, 1] + random.normal(0, 0.3, len(X)) > 0).astype(int)
    fixed = {"verbosity": -1, "num_threads": 1, "deterministic": True}
    booster = lightgbm.train({**fixed, **settings}, lightgbm.Dataset(X, y), 20)
    return booster.model_to_string()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_no_value_is_taken_across_a_cut(kind: type[np.floating]) -> None:
    random = np.random.default_rng(0)
    drawn = random.normal(size=300)
    columns = [drawn, np.exp(20 * drawn), drawn[:1], drawn[:0], 1e30 * drawn, 1 + 1e-6 * drawn]
    columns = [np.unique(one.astype(kind)) for one in columns]
    every = np.concatenate(columns)
    about = [np.nextafter(every, kind(side)) for side in (-np.inf, np.inf)]
    values = random.choice(np.r_[every, *about, kind(-1e35), kind(1e35)], (4000, len(columns)))
    found = Cuts(columns)(values)
    for place, (cuts, first) in enumerate(zip(columns, Cuts(columns).first, strict=True)):
        np.testing.assert_array_equal(
            found[:, place], first + np.searchsorted(cuts, values[:, place])
        )


@pytest.mark.parametrize("leaves", [2, 8, 31, 64])
@pytest.mark.parametrize("settings", [BOOSTING, FOREST], ids=["boosting", "forest"])
def test_tables_reach_the_leaves_that_lightgbm_reaches(
    settings: dict[str, object], leaves: int
) -> None:
    text = grown({**settings, "num_leaves": leaves})
    tables = tree_tables(text)
    assert tables is not None
    # Readings at the thresholds, right above them, and far outside.
    cuts = np.concatenate(tables.cuts.columns)
    random = np.random.default_rng(1)
    X = random.choice(np.r_[cuts, np.nextafter(cuts, np.inf), -1e9, 1e9], (3000, 6))
    walked = lightgbm.Booster(model_str=text).predict(X, raw_score=True)
    np.testing.assert_allclose(tables(X), walked, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("settings", "sensors"), [({"num_leaves": 65}, 6), ({"num_leaves": 200}, 80)]
)
def test_trees_that_no_table_suits_are_walked(settings: dict[str, object], sensors: int) -> None:
    text = grown({**BOOSTING, **settings, "min_data_in_leaf": 1}, sensors)
    trees = Trees(text)
    X = np.random.default_rng(1).normal(size=(20_000, sensors))
    assert tree_tables(text) is None
    walked = lightgbm.Booster(model_str=text).predict(X, raw_score=True)
    np.testing.assert_array_equal(trees.predict(X, raw_score=True), walked)


def test_a_network_looks_its_first_layer_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(KEPT / "format_2" / "stack")
    network = bundle.network
    assert tables_of(network) is not None
    rows = pd.read_csv(KEPT / "rows.csv")[list(bundle.features)].to_numpy(dtype=float)
    random = np.random.default_rng(0)
    X = np.resize(bundle.scaler(rows), (5000, rows.shape[1]))
    X = np.r_[X, X * random.normal(0, 5, X.shape)]
    names = [*tables_of(network).names]  # type: ignore[union-attr]
    looked_up = network.outputs(X, *names)
    monkeypatch.setattr(arrays, "_MANY", len(X) + 1)
    for name, own, multiplied in zip(names, looked_up, network.outputs(X, *names), strict=True):
        np.testing.assert_allclose(own, multiplied, rtol=1e-5, atol=2e-5, err_msg=name)
