"""A recording without runs is cut into parts, and no row judges its neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from faultxfer.data.continuous import AT_PAUSES, IN_BLOCKS, Parts, cut_into_parts
from faultxfer.data.dataset import Dataset

SHARES = (0.2, 0.2)


def recording(
    faults: list[tuple[int, int]],
    rows: int = 2000,
    *,
    step: float = 600.0,
    pauses: tuple[int, ...] = (),
    machines: int = 1,
    timed: bool = True,
    shuffled: bool = False,
) -> Dataset:
    """Machines of one recording each, with faults from one row to another."""
    y = np.zeros(rows, dtype=np.int8)
    for begin, end in faults:
        y[begin:end] = 1
    time = step * np.arange(rows)
    for pause in pauses:
        time[pause:] += 500 * step
    order = np.random.default_rng(0).permutation(rows) if shuffled else np.arange(rows)
    name = [f"m{machine}/all.csv" for machine in range(machines)]
    return Dataset(
        features=("s",),
        X=np.tile(np.arange(rows, dtype=float)[order], machines)[:, None],
        y=np.tile(y[order], machines),
        equipment=np.repeat([one.split("/")[0] for one in name], rows).astype(object),
        run=np.repeat(name, rows).astype(object),
        time=np.tile(time[order] if timed else np.full(rows, np.nan), machines),
    )


MANY = [(begin, begin + 30) for begin in range(90, 1950, 150)]


def sides_in_order(parts: Parts) -> np.ndarray:
    """(n,) side of each row in time, -1 for rows left out; of the first machine."""
    side = np.full(len(parts.data), -1)
    for number, rows in enumerate(parts.sides):
        side[rows] = number
    mine = np.flatnonzero(parts.data.equipment == parts.data.equipment[0])
    return side[mine[np.argsort(parts.data.X[mine, 0])]]


@pytest.mark.parametrize(
    "data",
    [
        recording(MANY),
        recording(MANY, step=1.0, shuffled=True),
        recording(MANY, timed=False),
        recording(MANY, machines=3, step=60),
        recording([(100, 400), (700, 900), (1300, 1500), (1700, 1990), (500, 560), (1000, 1080)]),
    ],
    ids=["one machine", "not sorted", "no clock", "three machines", "long faults"],
)
def test_blocks_leave_a_gap_and_cut_no_fault(data: Dataset) -> None:
    parts = cut_into_parts(data, SHARES, seed=0)
    assert parts is not None
    assert (parts.by, parts.cuts_faults) == (IN_BLOCKS, False)
    for rows in parts.sides:
        assert 0 < data.y[rows].sum() < len(rows)
    side = sides_in_order(parts)
    known = np.flatnonzero(side >= 0)
    borders = np.flatnonzero(np.diff(side[known]) != 0)
    assert (np.diff(known)[borders] > parts.gap).all()
    fault = np.zeros(len(side), dtype=bool)
    fault[data.X[data.y > 0, 0].astype(int)] = True
    begins = np.flatnonzero(np.diff(fault.astype(int), prepend=0) == 1)
    for begin in begins:
        end = begin + np.argmin(fault[begin:]) if not fault[begin:].all() else len(fault)
        assert len(set(side[begin:end]) - {-1}) <= 1
    assert "blocks in time" in parts.reason
    assert "may flatter" in parts.validity


def test_pauses_of_the_clock_come_first() -> None:
    data = recording(MANY, pauses=tuple(range(150, 2000, 150)))
    parts = cut_into_parts(data, SHARES, seed=0)
    assert parts is not None
    assert (parts.by, parts.count, parts.gap) == (AT_PAUSES, 14, 0)
    assert len(np.concatenate(parts.sides)) == len(data)
    assert "pauses of the clock" in parts.reason


@pytest.mark.parametrize("faults", [[(900, 1100)], [(200, 300), (1500, 1600)]])
def test_few_faults_are_cut_and_that_is_said(faults: list[tuple[int, int]]) -> None:
    parts = cut_into_parts(recording(faults), SHARES, seed=0)
    assert parts is not None
    assert parts.cuts_faults
    assert "One fault may lie on two sides" in parts.validity


def test_later_times_judge_earlier_ones() -> None:
    parts = cut_into_parts(recording(MANY), SHARES, seed=0)
    assert parts is not None
    train, _, test = parts.sides
    assert np.median(train) < np.median(test)


@pytest.mark.parametrize("faults", [[(5, 6)], [(0, 3)]])
def test_a_fault_of_a_few_rows_cannot_be_held_out(faults: list[tuple[int, int]]) -> None:
    assert cut_into_parts(recording(faults), SHARES, seed=0) is None
