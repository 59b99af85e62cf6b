"""What stands around the header row is left out where it is certain, or by a pin."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import read

from faultxfer.errors import DataError

ROWS = "2026-01-01 00:00;1,5;3\n2026-01-01 00:01;1,6;4\n"
TABLE = "Zeit;p;T\n" + ROWS


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        ("# made by a tool\n#\n# Number; of; rows\n", 3),
        ("Pump report\n\n", 2),
        ("Report of March;;\n", 1),
        ("// a\n// b\n", 2),
        ("\n\nHall 3\n", 3),
        ("sep=;\nHall 3\n", 2),
    ],
)
def test_lines_above_the_header_are_left_out(tmp_path: Path, above: str, lines: int) -> None:
    table = read(tmp_path, above + TABLE)
    assert table.names == ["Zeit", "p", "T"]
    assert table.lines.tolist() == [lines + 2, lines + 3]
    assert table.numbers("p").tolist() == [1.5, 1.6]
    assert f"header row on line {lines + 1}" in table.dialect.sentence()


def test_a_header_behind_a_comment_mark_loses_the_mark(tmp_path: Path) -> None:
    table = read(tmp_path, "# tool\n# Date and time;p;T\n" + ROWS)
    assert table.names == ["Date and time", "p", "T"]
    assert table.lines.tolist() == [3, 4]


@pytest.mark.parametrize(
    "text",
    [
        "# time,p\n1,2.5\n2,3.5\n",  # a lone comment may be the name of the column
        "p;l\nbroken;ok\n1,5;ok\n1,6;ok\n",  # a bad first cell is no description
        "t;p\n2026-01-01 00:00;Bad\n2026-01-01 00:01;1,5\n",
        "x;y;z\n1;2;3;\n4;5;6;\n",
    ],
)
def test_what_is_not_certain_stays_as_it_is(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.names == text.split("\n")[0].replace(",", ";").split(";")
    assert table.lines[0] == 2


@pytest.mark.parametrize(
    ("below", "count", "units"),
    [
        ("[s];[bar];°C\n", 1, {"Zeit": "s", "p": "bar", "T": "°C"}),
        ("-;bar;\n", 1, {"p": "bar"}),
        ("Time;Pressure in;Temp of oil\n-;kPa;degF\n", 2, {"p": "kPa", "T": "degF"}),
        ("yyyy-mm-dd hh:mm;m3/h;1/min\nTime;Flow;Speed\n", 2, {"p": "m3/h", "T": "1/min"}),
        ("Time;Pressure in;Temp of oil\n", 1, {}),
    ],
)
def test_rows_of_units_and_words_below_the_header_are_left_out(
    tmp_path: Path, below: str, count: int, units: dict[str, str]
) -> None:
    table = read(tmp_path, "Zeit;p;T\n" + below + ROWS)
    assert table.units == units
    assert table.lines.tolist() == [count + 2, count + 3]
    assert table.numbers("T").tolist() == [3.0, 4.0]


def test_pins_settle_what_stands_around_the_header(tmp_path: Path) -> None:
    text = "TOA5;a;b\n" + "TS;p;T\nTS;Volts;Grad\n;Avg;Avg\n" + ROWS
    table = read(tmp_path, text, skip=1, units_row=1, rows_below=2)
    assert table.names == ["TS", "p", "T"]
    assert table.lines.tolist() == [5, 6]


def test_skipping_more_lines_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no line below those") as caught:
        read(tmp_path, TABLE, skip=9)
    assert caught.value.code == "FILE-EMPTY"


def test_units_inside_cells_are_taken_off_and_kept(tmp_path: Path) -> None:
    table = read(tmp_path, "t;p;note\n1;12,5 bar;x\n2;13 bar;y\n3;;z\n")
    assert table.numbers("p").tolist()[:2] == [12.5, 13.0]
    assert list(table.units["p"]) == ["bar", "bar", ""]
    assert table.rows()["p"].tolist() == ["12,5 bar", "13 bar", ""]


@pytest.mark.parametrize("cells", ["1A 2A 3A", "P1 P2 P3", "7 8 9", "OPEN SHUT OPEN"])
def test_names_and_plain_numbers_have_no_units(tmp_path: Path, cells: str) -> None:
    table = read(tmp_path, "n;p\n" + "".join(f"{cell};1,5\n" for cell in cells.split()))
    assert table.units == {}
    assert table.frame["n"].tolist() == cells.split()
