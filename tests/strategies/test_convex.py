"""Logistic regression of many features comes to the same place by another road."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from faultxfer.strategies.learners import convex
from faultxfer.strategies.learners.convex import fit_logistic


@pytest.mark.parametrize(("rows", "features"), [(60, 700), (300, 513), (900, 640)])
def test_many_features_end_where_newton_ends(
    rows: int, features: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(features)
    X = random.normal(size=(rows, features))
    y = (X[:, :9].sum(axis=1) + random.normal(size=rows) > 1).astype(int)
    prior, weights = random.normal(size=features) / 50, random.uniform(0.5, 2, rows)
    coef, intercept = fit_logistic(X, y, 2.0, prior=prior, weights=weights)
    monkeypatch.setattr(convex, "_MANY_FEATURES", features)
    by_newton, at = fit_logistic(X, y, 2.0, prior=prior, weights=weights)
    assert np.abs(coef - by_newton).max() < 1e-3
    assert intercept == pytest.approx(at, abs=1e-3)
    # Nothing is left to gain: the pull and the misfit hold each other.
    p = expit(X @ coef + intercept)
    slope = X.T @ (weights * (p - y)) + 2.0 * (coef - prior)
    assert np.abs(slope).max() < 0.05
