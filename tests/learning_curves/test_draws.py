"""Draws of a learning curve.

Nested, from other runs than those that judge, and refused where rows are too few.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.config import CurveOptions
from faultxfer.data.dataset import Dataset
from faultxfer.errors import DataError
from faultxfer.learning_curves.draws import FEWEST, blocks_as_runs, draw_counts


def rows_of(runs: int, rows_per_run: int, *, faulty: int, fault_rows: int) -> Dataset:
    """Runs of which the first ``faulty`` end in ``fault_rows`` rows of fault.

    Every row has a value of its own.
    """
    number, place = np.repeat(np.arange(runs), rows_per_run), np.tile(np.arange(rows_per_run), runs)
    y = ((number < faulty) & (place >= rows_per_run - fault_rows)).astype(np.int8)
    X = np.arange(len(y), dtype=float)[:, None]
    run = np.array([f"pump/{k}" for k in number], dtype=object)
    return Dataset(("x",), X, y, np.full(len(y), "pump", dtype=object), run, place.astype(float))


@settings(max_examples=40, deadline=None)
@given(
    runs=st.integers(8, 40),
    rows_per_run=st.integers(10, 40),
    share=st.floats(0.4, 1.0),
    fault_share=st.floats(0.3, 0.9),
    seed=st.integers(0, 99),
)
def test_draws_are_nested_whole_and_apart_from_the_rows_that_judge(
    runs: int, rows_per_run: int, share: float, fault_share: float, seed: int
) -> None:
    data = rows_of(
        runs,
        rows_per_run,
        faulty=max(4, int(share * runs)),
        fault_rows=max(3, int(fault_share * 10)),
    )
    draws = draw_counts(data, CurveOptions(repeats=2, seed=seed))
    again = draw_counts(data, CurveOptions(repeats=2, seed=seed))
    assert draws.counts == again.counts == tuple(sorted(set(draws.counts)))
    for draw, same in zip(draws.repeats, again.repeats, strict=True):
        np.testing.assert_array_equal(draw.train[-1], same.train[-1])
        for count, rows in zip(draws.counts, draw.train, strict=True):
            assert len(set(rows.tolist())) == count
            assert min(np.bincount(data.y[rows], minlength=2)) >= FEWEST
            assert set(data.run[rows]).isdisjoint(data.run[draw.test])
        for smaller, larger in zip(draw.train, draw.train[1:], strict=False):
            assert set(smaller.tolist()) < set(larger.tolist())


def test_a_count_takes_its_rows_from_few_runs() -> None:
    data = rows_of(30, 20, faulty=15, fault_rows=10)
    draws = draw_counts(data, CurveOptions(counts=(25, 50, 100, 200), repeats=3))
    for draw in draws.repeats:
        for count, rows in zip(draws.counts, draw.train, strict=True):
            # Two runs hold 25 rows; one or two more may be needed for the faults.
            assert len(set(data.run[rows])) <= -(-count // 20) + 2


def test_counts_end_at_the_rows_that_can_be_drawn() -> None:
    draws = draw_counts(rows_of(30, 20, faulty=15, fault_rows=10), CurveOptions())
    fewest = min(600 - len(draw.test) for draw in draws.repeats)
    assert draws.counts[0] == 25
    assert draws.counts[-1] == fewest


def test_rare_faults_start_the_counts_where_a_fair_draw_holds_four() -> None:
    draws = draw_counts(rows_of(600, 1, faulty=24, fault_rows=1), CurveOptions())
    assert draws.counts[0] == 100
    assert draws.faults[0] >= FEWEST


def test_a_single_recording_is_cut_into_blocks_that_are_no_neighbours() -> None:
    data = rows_of(1, 400, faulty=1, fault_rows=150)
    draws = draw_counts(data, CurveOptions())
    assert draws.by == "time block"
    for draw in draws.repeats:
        drawn, judging = data.X[draw.train[-1], 0], data.X[draw.test, 0]
        assert np.abs(drawn[:, None] - judging).min() > 2
        assert set(draws.run[draw.train[-1]]).isdisjoint(draws.run[draw.test])


def test_blocks_keep_all_rows_but_those_at_their_borders() -> None:
    names, kept = blocks_as_runs(rows_of(1, 160, faulty=1, fault_rows=80), blocks=4, gap=2)
    assert len(kept) == 160 - 7 * 2
    assert len(set(names)) == 8


@pytest.mark.parametrize(
    ("data", "counts", "expected"),
    [
        (rows_of(9, 10, faulty=0, fault_rows=1), None, "both classes"),
        (rows_of(8, 4, faulty=8, fault_rows=2), None, "at least 4 counts from 8 to"),
        (rows_of(8, 1, faulty=4, fault_rows=1), None, "in runs held out and in the others"),
        (
            rows_of(30, 20, faulty=15, fault_rows=10),
            (30, 60, 5000, 9000),
            "at least 4 counts from 16 to",
        ),
    ],
)
def test_too_few_rows_are_named(
    data: Dataset, counts: tuple[int, ...] | None, expected: str
) -> None:
    with pytest.raises(DataError, match=f"{expected}.*Received: .*rows"):
        draw_counts(data, CurveOptions(counts=counts))
