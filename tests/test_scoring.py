"""Scoring says where rows look like another share of faults than the model was calibrated for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from faultxfer.steps.scoring import share_note


def _said(fault_share: float, rows: int = 2000) -> np.ndarray:
    """Probabilities that hold for a fault share of 0.3, of rows with another one."""
    rng = np.random.default_rng(0)
    faults = rng.random(rows) < fault_share
    readings = rng.normal(size=rows) + 3 * faults
    return np.asarray(expit(3 * readings - 4.5 + np.log(0.3 / 0.7)))


def test_rows_with_far_fewer_faults_are_told() -> None:
    note = share_note(_said(0.02), 0.3)
    assert "the probabilities hold for 30.0%" in note
    assert float(note.split("fault share of ")[1].split("%")[0]) == pytest.approx(2, abs=1)


@pytest.mark.parametrize(
    ("probabilities", "fault_share"),
    [
        (_said(0.2), 0.3),
        (_said(0.02)[:50], 0.3),
        (_said(0.02), None),
    ],
    ids=["nearly the same share", "too few rows", "share not recorded"],
)
def test_nothing_is_told_without_reason(
    probabilities: np.ndarray, fault_share: float | None
) -> None:
    assert share_note(probabilities, fault_share) == ""


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_all_alike_are_told_without_a_warning(value: float) -> None:
    assert f"{value:.1%}" in share_note(np.full(500, value), 0.3)
