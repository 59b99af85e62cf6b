"""Months, halves of the day, dates in two columns, counts since 1970, and the repeated hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reading import read

from faultxfer.errors import DataError

MOMENT = pd.Timestamp("2026-10-31 14:05:00", tz="UTC").timestamp()


@pytest.mark.parametrize(
    "cell",
    [
        "31-Okt-2026 14:05",
        "31. Oktober 2026 14:05",
        "31 oct. 2026 14:05:00",
        "31 octobre 2026 02:05 PM",
        "31 de octubre de 2026 02:05:00 p. m.",
        "31/out/2026 14:05",
        "31-ott-26 14:05",
        "31 oktober 2026 14:05",
        "31.10.2026 02:05 nachm.",
        "31/10/2026 02:05:00 p.m.",
        "Oct 31, 2026 2:05 PM",
    ],
)
def test_months_and_halves_of_the_day_of_seven_languages(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path, f"time;x\n{cell};0\n{cell};0\n").times("time")
    assert found.seconds.tolist() == [MOMENT, MOMENT]


@pytest.mark.parametrize("name", ["jän jan. gennaio enero Janvier", "mrz mars maart märz marzo"])
def test_no_two_months_are_mixed_up(tmp_path: Path, name: str) -> None:
    rows = "".join(f"17-{month}-2026;0\n" for month in name.split())
    assert read(tmp_path, "time;x\n" + rows).times("time").seconds.nunique() == 1


def test_a_pinned_format_takes_words_of_any_of_the_languages(tmp_path: Path) -> None:
    rows = "time;x\n31-Okt-2026 02:05:00 p. m.;0\n31-oct-2026 02:05:00 PM;0\n"
    found = read(tmp_path, rows, time_format="%d-%b-%Y %I:%M:%S %p").times("time")
    assert found.seconds.tolist() == [MOMENT, MOMENT]


@pytest.mark.parametrize(
    ("zeros", "form"), [("", "epoch:s"), ("000", "epoch_ms"), ("0" * 6, "epoch:us"),
                        ("0" * 9, "epoch:ns")],
)  # fmt: skip
def test_counts_since_1970_are_told_by_their_size_or_a_pin(
    tmp_path: Path, zeros: str, form: str
) -> None:
    rows = f"time;x\n{MOMENT:.0f}{zeros};0\n"
    for pins in ({}, {"time_format": form}):
        assert read(tmp_path, rows, **pins).times("time").seconds.tolist() == [MOMENT]


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        ("2026/10/31", "14:05:00"),
        ("31.10.2026 00:00:00", "14:05"),
        ("31-Okt-26", "1899-12-30 14:05:00"),
        ("10/31/2026", "02:05 PM"),
    ],
)
def test_date_and_time_of_day_are_joined(tmp_path: Path, day: str, clock: str) -> None:
    rows = f"D;C;x\n{day};{clock};0\n"
    table = read(tmp_path, rows, time_parts=["D", "C"])
    assert table.times("D C").seconds.tolist() == [MOMENT]
    assert table.rows().columns.tolist() == ["D", "C", "x"]


def test_a_missing_part_of_the_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="makes the time") as caught:
        read(tmp_path, "D;x\n2026/10/31;0\n", time_parts=["D", "C"])
    assert caught.value.code == "COLUMN-MISSING"


LOCAL = pd.date_range("2026-10-24 22:00", periods=36, freq="10min", tz="UTC")
BERLIN = LOCAL.tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M:%S").tolist()


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("style", ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"])
def test_the_order_of_rows_tells_the_repeated_hour(tmp_path: Path, order: int, style: str) -> None:
    cells = pd.to_datetime(pd.Series(BERLIN)).dt.strftime(style).tolist()[::order]
    rows = "time;x\n" + "".join(f"{cell};0\n" for cell in cells)
    pins = {"timezone": "Europe/Berlin", "repeated_hour": "in_order"}
    found = read(tmp_path, rows, **pins).times("time").seconds
    expected = LOCAL.as_unit("s").asi8[::order]
    np.testing.assert_array_equal(found, expected)


def test_a_time_of_the_repeated_hour_is_told_from_other_unreadable_ones(tmp_path: Path) -> None:
    rows = "time;x\n2026-10-25 01:30:00;0\n2026-10-25 02:30:00;0\nsoon;0\n2026-03-29 02:30:00;0\n"
    table = read(tmp_path, rows, timezone="Europe/Berlin")
    assert table.clock_changes("time").tolist() == ["", "repeated", "", "skipped"]
    assert table.times("time").seconds.isna().tolist() == [False, True, True, True]
