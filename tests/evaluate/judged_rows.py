"""Simulated rows of runs, and two detectors that resemble each other."""

from __future__ import annotations

import numpy as np

from faultxfer.evaluate.rows import ScoredRows


def rows(
    seed: int = 0,
    *,
    runs: int = 20,
    rows_per_run: int = 15,
    faults: int = 3,
    power: float = 1.5,
    gain: float = 0.0,
    run_effect: float = 0.5,
) -> tuple[ScoredRows, ScoredRows]:
    """Two detectors on the same rows, the second better by ``gain``.

    Half of their errors they have in common.
    """
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(runs), rows_per_run)
    y = np.tile(np.r_[np.zeros(rows_per_run - faults), np.ones(faults)].astype(np.int8), runs)
    common = rng.standard_normal(len(y)) + run_effect * rng.standard_normal(runs)[run]
    said = []
    for more in (0.0, gain):
        own = rng.standard_normal(len(y))
        score = (common + own) / np.sqrt(2 + run_effect**2) + (power + more) * y
        probabilities = 1 / (1 + np.exp(-(score - 1)))
        said.append(
            ScoredRows(y, probabilities, score > 1.6, run.astype(str), np.full(len(y), np.nan))
        )
    return said[0], said[1]
