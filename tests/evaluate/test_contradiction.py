"""Labels exchanged, and faults among rows that somebody vouches for."""

from __future__ import annotations

import numpy as np

from faultxfer.evaluate.contradiction import standing_out, wrong_way_round
from faultxfer.evaluate.rows import ScoredRows

RNG = np.random.default_rng(0)
Y = np.tile(np.repeat([0, 1], 20), 8)
RUN = np.repeat(np.arange(8).astype(str), 40)


def scored(probabilities: np.ndarray) -> ScoredRows:
    return ScoredRows(Y, probabilities, probabilities > 0.5, RUN, np.arange(len(Y), dtype=float))


def test_only_a_ranking_that_is_surely_the_wrong_way_round_is_named() -> None:
    noise = RNG.uniform(size=len(Y))
    assert wrong_way_round(scored(noise)) is None
    assert wrong_way_round(scored(0.7 * Y + 0.3 * noise)) is None
    found = wrong_way_round(scored(0.7 * (1 - Y) + 0.3 * noise))
    assert found is not None
    assert found.estimate == 0


def test_faults_among_healthy_rows_stand_out_and_a_machine_on_another_level_does_not() -> None:
    calm = RNG.uniform(0.05, 0.1, 200)
    mixed = np.append(calm, np.full(20, 0.95))
    assert standing_out(mixed, mixed > 0.5).nonzero()[0].tolist() == list(range(200, 220))
    for healthy in (calm, calm + 0.85):
        assert not standing_out(healthy, healthy > 0.5).any()
