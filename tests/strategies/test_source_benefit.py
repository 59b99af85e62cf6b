"""The rows at hand say that a source helps where it does, and hardly ever where it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from faultxfer.bundle.members import IDENTITY, Member
from faultxfer.strategies.selector import CrossFit
from faultxfer.strategies.source_benefit import HELPS, HURTS, UNCLEAR, source_benefit

ROWS, RUNS = 240, 12


def crossed(source: float, scratch: float, seed: int) -> tuple[CrossFit, np.ndarray, np.ndarray]:
    """A source and a scratch learner with the given strengths, labels and runs."""
    rng = np.random.default_rng(seed)
    y = (rng.random(ROWS) < 0.3).astype(np.int8)
    logits = np.stack(
        [strength * (2 * y - 1) + rng.normal(size=ROWS) for strength in (source, scratch)]
    )
    members = (
        Member("source", "source", IDENTITY, ("a",)),
        Member("scratch", "scratch", IDENTITY, ("b",)),
    )
    return (
        CrossFit(members, {}, logits, np.arange(ROWS) % 4),
        y,
        np.repeat(np.arange(RUNS), ROWS // RUNS),
    )


def test_a_source_that_knows_more_than_the_rows_helps() -> None:
    found = source_benefit(*crossed(1.5, 0.3, 0))
    assert found.verdict == HELPS
    assert 0 < found.low < found.gain < found.high
    assert "the source helps" in found.sentence


def test_a_source_that_is_wrong_hurts() -> None:
    """Averaged with a learner that is right, its opposite costs log-loss beyond doubt."""
    assert source_benefit(*crossed(-3.0, 1.0, 0)).verdict == HURTS


def test_a_source_that_knows_nothing_is_seldom_said_to_help() -> None:
    verdicts = [source_benefit(*crossed(0.0, 0.8, seed)).verdict for seed in range(60)]
    assert verdicts.count(HELPS) <= 6  # more than that has a chance of one in a hundred at 5 %


@pytest.mark.parametrize("runs", [1, 3])
def test_few_runs_are_cut_into_blocks(runs: int) -> None:
    parts, y, _ = crossed(0.5, 0.5, 1)
    found = source_benefit(parts, y, np.arange(ROWS) * runs // ROWS)
    assert found.low < found.gain < found.high


def test_without_any_difference_it_stays_unclear() -> None:
    parts, y, run = crossed(0.5, 0.5, 2)
    same = CrossFit(parts.members, {}, np.stack([parts.logits[1]] * 2), parts.folds)
    assert source_benefit(same, y, run).verdict == UNCLEAR
