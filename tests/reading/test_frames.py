"""Rows that a program gives mean what they would mean in a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faultxfer.errors import DataError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.frames import table_of

NUMERIC = frozenset({"a", "b"})


def read(options: Csv | None = None, **columns: Any) -> Any:
    return table_of(pd.DataFrame(columns), options or Csv(), NUMERIC)


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, None],
        [1.0, 2.0, np.nan],
        pd.array([1, 2, None], dtype="Int64"),
        [Decimal(1), 2, None],
        ["1", "2", ""],
        ["1", 2, "Bad Input"],
        ["1,0", "2,0", "n/a"],
        ["1.0", 2, None],
        ["1 bar", "2 bar", None],
    ],
)
def test_numbers_are_the_same_however_they_are_given(cells: Any) -> None:
    table = read(a=cells)
    np.testing.assert_array_equal(table.numbers("a"), [1.0, 2.0, np.nan])
    assert table.missing("a").tolist() == [False, False, True]


def test_numbers_beside_words_have_the_marks_of_the_text() -> None:
    table = read(Csv(decimal=","), a=["Bad", 1234.5], b=["0,25", 7])
    assert table.numbers("a").tolist()[1] == 1234.5
    assert table.numbers("b").tolist() == [0.25, 7.0]
    found = read(a=["1.234,5", 0.5])
    assert found.numbers("a").tolist() == [1234.5, 0.5]


@pytest.mark.parametrize("cell", ["see log", float("inf"), "-inf", True])
def test_what_is_no_number_is_neither_read_nor_missing(cell: object) -> None:
    table = read(a=[1.5, cell])
    assert np.isnan(table.numbers("a")[1])
    assert table.missing("a").tolist() == [False, False]


def test_text_that_can_be_read_in_two_ways_is_refused_unless_it_is_pinned() -> None:
    with pytest.raises(DataError, match="one way only"):
        read(a=["1.234"]).numbers("a")
    assert read(Csv(decimal="."), a=["1.234"]).numbers("a").tolist() == [1.234]
    assert read(a=[1.234]).numbers("a").tolist() == [1.234]


def test_names_and_times_are_text_as_in_a_file() -> None:
    table = read(
        machine=[9.0, None],
        mode=[3, 4],
        on=[True, False],
        at=pd.to_datetime(["2026-03-01 00:00", "2026-03-01 00:05"]),
        epoch=[1_767_225_600_000.0, np.nan],
    )
    assert table.frame.to_numpy().tolist() == [
        ["9", "3", "True", "2026-03-01 00:00:00", "1767225600000"],
        ["", "4", "False", "2026-03-01 00:05:00", ""],
    ]
    assert table.booleans("on").tolist() == [1.0, 0.0]
    assert np.diff(table.times("at").seconds).tolist() == [300.0]


def test_rows_can_be_shown_as_they_came() -> None:
    table = read(b=[1.5, None], note=["x", None])
    assert table.rows(np.array([1, 0])).to_numpy().tolist() == [["", ""], ["1.5", "x"]]
    assert table.names == ["b", "note"]


def test_one_name_twice_is_refused() -> None:
    twice = pd.DataFrame([[1, 2]], columns=["a", " a"])
    with pytest.raises(DataError, match="occurs twice"):
        table_of(twice, Csv(), NUMERIC)


def test_date_and_time_of_day_are_joined() -> None:
    table = read(Csv(time_parts=("day", "clock")), day=["2026-03-01"], clock=["12:30"], a=[1])
    assert table.times("day clock").seconds.tolist() == [
        pd.Timestamp("2026-03-01 12:30").timestamp()
    ]
