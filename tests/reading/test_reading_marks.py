"""A number is read in the one way that the file proves, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reading import read

from faultxfer.errors import DataError
from faultxfer.reading import columns
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import read_csv

NAN = float("nan")


def numbers(folder: Path, cells: list[str], **pins: object) -> list[float]:
    table = read(folder, "n;flow\n" + "".join(f"x;{cell}\n" for cell in cells), **pins)
    return table.numbers("flow").tolist()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.5", "2.25"], [1.5, 2.25]),
        (["1,234", "0,5"], [1.234, 0.5]),
        (["0,123", "1,234"], [0.123, 1.234]),
        (["1.234", "0.065"], [1.234, 0.065]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1,234.5", "1,234"], [1234.5, 1234]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1 234,5", "12"], [1234.5, 12]),
        (["1'234.5", "12"], [1234.5, 12]),
        (["1 234 567"], [1234567]),
        (["1234,567", "1,234"], [1234.567, 1.234]),
        (["4.2504e+05", "1"], [425040, 1]),
        (["4,25E5", "-1"], [425000, -1]),
        (["+1,5", "-,5", "2,"], [1.5, -0.5, 2]),
        (["1", "-2", "007"], [1, -2, 7]),
        (["1e3", "2"], [1000, 2]),
    ],
    ids=str,
)
def test_marks_are_detected_where_the_cells_prove_them(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    assert numbers(tmp_path, cells) == values


@pytest.mark.parametrize(
    "cells",
    [["1,234", "5,678"], ["1.234", "5.678"], ["1,5", "1.5"], ["1,234", "7"], ["-12,345"]],
    ids=str,
)
def test_numbers_that_can_be_read_in_two_ways_ask_for_the_pin(
    tmp_path: Path, cells: list[str]
) -> None:
    with pytest.raises(DataError, match=r"one way only.*a\.csv, column 'flow'.*csv: \{decimal"):
        numbers(tmp_path, cells)


@pytest.mark.parametrize(
    ("pins", "values"),
    [
        ({"decimal": ","}, [1.234, 5.678]),
        ({"decimal": ".", "thousands": ","}, [1234, 5678]),
        ({"thousands": ","}, [1234, 5678]),
        ({"decimal": "."}, [NAN, NAN]),
    ],
    ids=str,
)
def test_a_pin_settles_what_the_file_does_not_tell(
    tmp_path: Path, pins: dict[str, str], values: list[float]
) -> None:
    np.testing.assert_array_equal(numbers(tmp_path, ["1,234", "5,678"], **pins), values)


def test_an_ambiguous_column_that_nobody_needs_does_no_harm(tmp_path: Path) -> None:
    table = read(tmp_path, "level;flow\n1,234;1\n5,678;2\n")
    assert table.numbers("flow").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2,5", "3.5"], [1.5, 2.5, NAN]),
        (["1.5", "2.5", "3,5"], [1.5, 2.5, NAN]),
        (["1.5", "2.5", "1,234"], [1.5, 2.5, NAN]),
        (["1,5", "2,5", "1.234"], [1.5, 2.5, NAN]),
        (["1.234,5", "2,5", "12.34,5", "1.23"], [NAN, 2.5, NAN, NAN]),
        (
            ["1,5", "1,2,3", "1..2", "0x10", "1_000", "inf", "1e999", "12:30", "½", "٣"],
            [1.5, *[NAN] * 9],
        ),
    ],
    ids=str,
)
def test_cells_in_another_dialect_are_no_numbers(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    np.testing.assert_array_equal(numbers(tmp_path, cells), values)


def test_a_point_in_a_file_with_commas_between_columns_is_a_decimal_point(tmp_path: Path) -> None:
    assert read(tmp_path, "flow,x\n1.234,0\n5.678,0\n").numbers("flow").tolist() == [1.234, 5.678]


def test_proof_beyond_the_sample_counts(tmp_path: Path) -> None:
    rows = ["1,234"] * 5000
    rows[3333] = "0,5"
    values = numbers(tmp_path, rows)
    assert (values[0], values[3333]) == (1.234, 0.5)


def test_one_proof_of_thousands_beyond_the_sample_counts(tmp_path: Path) -> None:
    rows = ["1,25", "1.234"] * 2500
    rows[3333] = "1.234.567,5"
    values = numbers(tmp_path, rows)
    assert (values[0], values[1], values[3333]) == (1.25, 1234, 1234567.5)


@pytest.mark.parametrize("spelling", sorted(columns.MISSING), ids=repr)
@pytest.mark.parametrize(
    "change", [str, str.upper, str.title], ids=["as listed", "capitals", "title"]
)
def test_every_spelling_of_a_missing_value_counts(
    tmp_path: Path, spelling: str, change: type[str]
) -> None:
    table = read(tmp_path, f'flow,x\n1.5,0\n" {change(spelling)} ",0\n')
    assert table.missing("flow").tolist() == [False, True]
    np.testing.assert_array_equal(table.numbers("flow"), [1.5, NAN])


def test_further_spellings_may_be_numbers(tmp_path: Path) -> None:
    table = read(
        tmp_path, "flow,x\n1.5,0\n-9999,0\nSensor Off,0\n", missing=["-9999", "sensor off"]
    )
    assert table.missing("flow").tolist() == [False, True, True]
    np.testing.assert_array_equal(table.numbers("flow"), [1.5, NAN, NAN])


def test_cells_stay_as_they_stand_in_the_file(tmp_path: Path) -> None:
    table = read(tmp_path, "flow;x\n 1.234,50 ;Bad\n")
    assert table.frame.to_numpy().tolist() == [[" 1.234,50 ", "Bad"]]


# What is no sensor proves nothing of the sensors

FLOW = frozenset({"flow"})
KEPT = ["all columns", "no note", "the note too"]
# A row with a line break in a cell cannot be read by columns, an unfinished one cannot either.
ENDS = {"by columns": "", "row by row": '\n1;7;"a\nb";0', "a short row": "\n1;7"}


def flows(folder: Path, text: str, keep: frozenset[str] | None) -> list[float]:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    return read_csv(folder / "a.csv", None, FLOW, keep).numbers("flow").tolist()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("note", ["2.1", "2,1", "seal 2.1", "1,234.5"])
@pytest.mark.parametrize(
    "keep", [None, frozenset({"flow", "fault"}), frozenset({"flow", "fault", "note"})], ids=KEPT
)
def test_a_note_does_not_tell_the_decimal_mark_of_a_sensor(
    tmp_path: Path, note: str, keep: frozenset[str] | None, end: str
) -> None:
    with pytest.raises(DataError, match=r"one way only.*column 'flow'"):
        flows(
            tmp_path, f"time;flow;note;fault\n1;1.234;{note};0\n2;5.678;{note};0{ENDS[end]}", keep
        )


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("keep", [None, frozenset({"flow", "fault"})], ids=KEPT[:2])
def test_sensors_are_read_by_their_own_mark_whatever_the_notes_hold(
    tmp_path: Path, keep: frozenset[str] | None, end: str
) -> None:
    text = "time;flow;note;fault\n1;1,5;2.1;0\n2;1,234;3.14;0\n3;2;4.5;0" + ENDS[end]
    assert flows(tmp_path, text, keep)[:3] == [1.5, 1.234, 2]


def test_whole_numbers_leave_the_mark_of_times_to_the_times(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time;flow;note\n0,5;7;2.1\n1,0;8;2.2\n", encoding="utf-8")
    table = read_csv(tmp_path / "a.csv", None, FLOW, frozenset({"flow", "time"}))
    assert table.times("time").seconds.tolist() == [0.5, 1]
    assert table.numbers("flow").tolist() == [7, 8]


def test_a_file_without_header_is_looked_at_by_its_pinned_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("2.1;1,5\n2.2;1,234\n", encoding="utf-8")
    pins = Csv(header=False, columns=("note", "flow"), separator=";")
    assert read_csv(tmp_path / "a.csv", pins, FLOW, FLOW).numbers("flow").tolist() == [1.5, 1.234]
